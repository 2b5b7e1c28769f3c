package demo

import (
	"fmt"
	"io/fs"
)

const composeText = `# Tidepool, a small notes server.
# Made by "belay demo" to be thrown away: break it as you like.
name: tidepool

services:
  app:
    # .env says which version; belay edits it there and nowhere else.
    image: ` + Image + `:${TIDEPOOL_TAG:-` + Installed + `}
    restart: unless-stopped
    env_file: .env
    ports:
      - "127.0.0.1:%d:8080"
    volumes:
      - data:/data        # the database and the uploads
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/health"]
      interval: 1s
      retries: 3
      start_period: 5s

volumes:
  data:
`

const envText = `# Settings of Tidepool. This file holds secrets: keep it to yourself.

# The version that runs.
TIDEPOOL_TAG="` + Installed + `"

TIDEPOOL_TITLE=Notes from the shore

# Where reminders are sent from.
TIDEPOOL_MAIL_URL=smtp://notes:not-a-real-password@mail.example:587
`

const recipeText = `# What belay cannot see from outside. Everything in here is optional.
name: Tidepool
match: {images: ["` + Image + `"]}
releases: {github: ` + Repo + `, tags: "v{version}"}
databases:
  - {kind: sqlite, service: app, path: /data/tidepool.db}
logs:
  ready: ['Listening on ']
  failed: ['^ERROR migration ', 'does not start without']
health:
  - {service: app, http: /health, status: 200, json: {status: ok}, version: version, every: 1s}
`

type file struct {
	text string
	mode fs.FileMode
}

func files(port int) map[string]file {
	return map[string]file{
		"compose.yaml": {fmt.Sprintf(composeText, port), 0o644},
		".env":         {envText, 0o600},
		"belay.yaml":   {recipeText, 0o644},
	}
}
