// PocketBase as a Go framework, its users' collection as a new installation has it, with two people in it
// and a route of its own.
package main

import (
	"log"
	"net/http"
	"os"
	"strconv"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// Made at the start: PocketBase comes without anybody.
var accounts = map[string]string{
	"alice@lab.example": "tea-with-the-hatter-71",
	"bob@lab.example":   "builds-a-bridge-by-noon-28",
}

func main() {
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: os.Getenv("LAB_DATA")})
	app.OnServe().BindFunc(func(event *core.ServeEvent) error {
		if err := prepare(event.App); err != nil {
			return err
		}
		// Else a new installation opens a browser, so that somebody makes an administrator.
		event.InstallerFunc = nil
		event.Router.GET("/api/lab/me", me).Bind(apis.RequireAuth())
		return event.Next()
	})
	app.RootCmd.SetArgs([]string{"serve", "--http", "127.0.0.1:" + os.Getenv("PORT")})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

func me(event *core.RequestEvent) error {
	return event.JSON(http.StatusOK, map[string]string{"id": event.Auth.Id, "email": event.Auth.Email()})
}

func prepare(app core.App) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	if lifetime, err := strconv.ParseInt(os.Getenv("LAB_ACCESS_LIFETIME"), 10, 64); err == nil {
		users.AuthToken.Duration = lifetime
	}
	if err := app.Save(users); err != nil {
		return err
	}
	for email, password := range accounts {
		if _, err := app.FindAuthRecordByEmail(users, email); err == nil {
			continue
		}
		account := core.NewRecord(users)
		account.SetEmail(email)
		account.SetPassword(password)
		account.SetVerified(true)
		if err := app.Save(account); err != nil {
			return err
		}
	}
	return nil
}
