// Package foreign holds the registry to what clients expect of it that are written by others: Eureka's clients for JVM,
// JavaScript and Go, and Envoy. The registry runs in a process of its own. It holds the messages on Kafka to what their readers expect:
// librdkafka and kafkajs, with the published descriptor.
package foreign
