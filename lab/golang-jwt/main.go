// The login of a Go tutorial: net/http, golang-jwt, two secrets, and both tokens in cookies.
package main

import (
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Stands for the users' table.
var passwords = map[string]string{
	"alice": "tea-with-the-hatter-71",
	"bob":   "builds-a-bridge-by-noon-28",
}

// A kind of token: the cookie that carries it, the secret that signs it, and how long it lives.
type kind struct {
	cookie   string
	secret   []byte
	lifetime time.Duration
}

var (
	access = kind{
		"access_token",
		[]byte(setting("LAB_SECRET", rand.Text())),
		seconds("LAB_ACCESS_LIFETIME", 15*time.Minute),
	}
	refresh = kind{
		"refresh_token",
		[]byte(setting("LAB_REFRESH_SECRET", rand.Text())),
		seconds("LAB_REFRESH_LIFETIME", 7*24*time.Hour),
	}
)

func main() {
	http.HandleFunc("POST /login", logIn)
	http.HandleFunc("POST /refresh", refresh.wanted(renew))
	http.HandleFunc("POST /logout", logOut)
	http.HandleFunc("GET /profile", access.wanted(profile))
	http.HandleFunc("GET /dashboard", access.wanted(dashboard))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+setting("PORT", "8000"), nil))
}

func logIn(w http.ResponseWriter, r *http.Request) {
	var given struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		http.Error(w, "Bad request", http.StatusBadRequest)
		return
	}
	if password, known := passwords[given.Username]; !known || password != given.Password {
		http.Error(w, "Invalid credentials", http.StatusUnauthorized)
		return
	}
	renew(w, given.Username)
}

// Sets a new pair of tokens.
func renew(w http.ResponseWriter, username string) {
	for _, kind := range []kind{access, refresh} {
		if err := kind.issue(w, username); err != nil {
			http.Error(w, "Internal server error", http.StatusInternalServerError)
			return
		}
	}
	answer(w, map[string]string{"message": "Here are your tokens"})
}

func logOut(w http.ResponseWriter, _ *http.Request) {
	for _, kind := range []kind{access, refresh} {
		http.SetCookie(w, &http.Cookie{Name: kind.cookie, Path: "/", MaxAge: -1, HttpOnly: true})
	}
	answer(w, map[string]string{"message": "Logged out"})
}

func profile(w http.ResponseWriter, username string) {
	answer(w, map[string]string{"username": username})
}

func dashboard(w http.ResponseWriter, username string) {
	answer(w, map[string]string{"message": "Hello, " + username + "!"})
}

func (k kind) issue(w http.ResponseWriter, username string) error {
	now := time.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject:   username,
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(k.lifetime)),
	}).SignedString(k.secret)
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: k.cookie, Value: token, Path: "/", MaxAge: int(k.lifetime.Seconds()), HttpOnly: true,
	})
	return nil
}

// A handler that is only reached with a good token of this kind, and is told whose it is.
func (k kind) wanted(handler func(http.ResponseWriter, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie(k.cookie)
		if err != nil {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		var claims jwt.RegisteredClaims
		_, err = jwt.ParseWithClaims(cookie.Value, &claims, func(*jwt.Token) (any, error) {
			return k.secret, nil
		}, jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}))
		if err != nil {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		handler(w, claims.Subject)
	}
}

func answer(w http.ResponseWriter, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client has gone, where this fails
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
