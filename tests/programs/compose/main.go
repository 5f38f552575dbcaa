// Loads a compose file with the library of `docker compose`, and prints what it was read as, as JSON.
//
// Usage: compose FILE [PROFILE...]. Variables are taken from the environment. What is wrong with the
// file goes to standard error, and the exit code is 1.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	document, err := load(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(document))
}

func load(file string, profiles []string) ([]byte, error) {
	options, err := cli.NewProjectOptions(
		[]string{file}, cli.WithOsEnv, cli.WithProfiles(profiles), cli.WithResolvedPaths(true),
	)
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	return project.MarshalJSON()
}
