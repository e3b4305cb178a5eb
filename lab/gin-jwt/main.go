// A login with gin-jwt's own handlers, set up as in the example of its README.
package main

import (
	"crypto/rand"
	"log"
	"net/http"
	"os"
	"time"

	jwt "github.com/appleboy/gin-jwt/v2"
	"github.com/gin-gonic/gin"
)

// Stands for the users' table.
var passwords = map[string]string{
	"alice": "tea-with-the-hatter-71",
	"bob":   "builds-a-bridge-by-noon-28",
}

const identityKey = "id"

type credentials struct {
	Username string `form:"username" json:"username" binding:"required"`
	Password string `form:"password" json:"password" binding:"required"`
}

func main() {
	auth, err := jwt.New(&jwt.GinJWTMiddleware{
		Realm:         "lab",
		Key:           []byte(setting("LAB_SECRET", rand.Text())),
		Timeout:       seconds("LAB_ACCESS_LIFETIME", time.Hour),
		MaxRefresh:    seconds("LAB_REFRESH_LIFETIME", time.Hour),
		IdentityKey:   identityKey,
		Authenticator: authenticate,
		PayloadFunc:   func(user any) jwt.MapClaims { return jwt.MapClaims{identityKey: user} },
		// The example's: the library's own default is the header alone.
		TokenLookup: "header: Authorization, query: token, cookie: jwt",
	})
	if err != nil {
		log.Fatal(err)
	}

	engine := gin.Default()
	engine.POST("/login", auth.LoginHandler)
	inside := engine.Group("/auth", auth.MiddlewareFunc())
	inside.GET("/refresh_token", auth.RefreshHandler)
	inside.POST("/logout", auth.LogoutHandler)
	inside.GET("/hello", hello)
	log.Fatal(engine.Run("127.0.0.1:" + setting("PORT", "8000")))
}

func authenticate(c *gin.Context) (any, error) {
	var given credentials
	if err := c.ShouldBind(&given); err != nil {
		return nil, jwt.ErrMissingLoginValues
	}
	if password, known := passwords[given.Username]; !known || password != given.Password {
		return nil, jwt.ErrFailedAuthentication
	}
	return given.Username, nil
}

func hello(c *gin.Context) {
	user, _ := c.Get(identityKey)
	c.JSON(http.StatusOK, gin.H{"userID": user, "text": "Hello World."})
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func seconds(name string, otherwise time.Duration) time.Duration {
	if value := os.Getenv(name); value != "" {
		lifetime, err := time.ParseDuration(value + "s")
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		return lifetime
	}
	return otherwise
}
