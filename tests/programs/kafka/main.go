// Answers as a Kafka broker with one topic in memory, on a port of this machine, until it is ended.
//
// Usage: kafka PORT TOPIC. It speaks Kafka's protocol, by the library of the client that the
// collector uses; it is no Kafka.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

const partitions = 4

func main() {
	port, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = serve(port, os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(port int, topic string) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(port), kfake.SeedTopics(partitions, topic),
	)
	if err != nil {
		return err
	}
	defer cluster.Close()
	fmt.Println("ready")
	<-ended
	return nil
}
