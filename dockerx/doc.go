// Package dockerx talks to a Docker engine: containers, images, volumes, exec,
// logs. It knows nothing of upgrades, releases or screens.
package dockerx
