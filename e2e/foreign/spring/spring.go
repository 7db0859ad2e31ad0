// Package spring carries a Spring Boot application that knows the registry as a Eureka server, and nothing else of this project.
package spring

import "embed"

// Project is its Maven project: `mvn package` makes target/spring.jar of it.
//
//go:embed pom.xml src
var Project embed.FS
