package main

import (
	"fmt"
	"io"
	"time"

	"eventprospect/dev/internal/certificates"
	"eventprospect/dev/system"
)

const greeting = `Ready in %[1]v. State is in %[2]s. Stop with Ctrl-C.

  REST      %[3]s     OpenAPI: %[3]s/openapi.json      (ready? http://%[12]s/readyz)
  Event     %[4]s   gRPC, reflection   (ready? http://%[9]s/readyz)
  Prospect  %[5]s   gRPC, reflection   (ready? http://%[10]s/readyz)
  Registry  %[6]s   gRPC, Eureka, xDS; a page: %[14]s://%[6]s   (ready? http://%[11]s/readyz)
  Kafka     %[7]s   topics prospect-events, prospect-events.dlq
  Tokens    %[8]s
            users ada (editor), rita (reader), root (admin); the password is the name

A token, then a prospect, then the event that it caused, then its end:

TOKEN=$(curl -s %[8]s/protocol/openid-connect/token -d grant_type=password -d client_id=gateway-cli -d username=ada -d password=ada | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
ID=$(curl -si%[13]s %[3]s/prospects -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"firstName":"Grace","lastName":"Hopper","filedWork":"R&D / IT"}' | tee /dev/stderr | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')
curl -s%[13]s "%[3]s/v1/events?prospectId=$ID" -H "Authorization: Bearer $TOKEN"
curl -si%[13]s -X DELETE %[3]s/prospects/$ID -H "Authorization: Bearer $TOKEN"
`

// greet says where everything is, and gives lines to paste into a shell. Folder is that of the certificates, if there are any.
func greet(out io.Writer, s *system.System, took time.Duration, folder string) {
	trust, scheme := "", "http"
	if folder != "" {
		scheme, trust = "https", " --cacert "+certificates.Authorities(folder)
	}
	fmt.Fprintf(out, greeting, took.Round(time.Millisecond), s.Data, s.Gateway, s.Event, s.Prospect, s.Registry, s.Kafka, s.Issuer,
		s.EventAdmin, s.ProspectAdmin, s.RegistryAdmin, s.GatewayAdmin, trust, scheme)
}
