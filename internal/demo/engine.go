package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"rgate/internal/docker"
)

// ownerLabel is on all that a demo makes; its value is the demo's id.
const ownerLabel = "rgate.demo"

// engine is a Docker engine that the demo may write to.
type engine struct {
	host string
	*client.Client
}

// openEngine finds the engine that discovery will watch, and asks whether it
// is there.
func openEngine(ctx context.Context) (*engine, error) {
	found, err := docker.Open(docker.Options{})
	if err != nil {
		return nil, err
	}
	host := found.Host()
	if strings.HasPrefix(host, "ssh://") {
		return nil, fmt.Errorf("the demo cannot make containers over ssh (%s)", host)
	}
	options := []client.Opt{client.WithHost(host)}
	if strings.HasPrefix(host, "tcp://") {
		options = append([]client.Opt{client.WithTLSClientConfigFromEnv()}, options...)
	}
	c, err := client.New(append(options, client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialBounded(ctx, host)
	}))...)
	if err != nil {
		return nil, fmt.Errorf("cannot use the Docker engine at %s: %w", host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := c.Ping(ctx, client.PingOptions{}); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("no Docker engine answers at %s: %w", host, err)
	}
	return &engine{host: host, Client: c}, nil
}

// build makes the image of the demo with this id and answers its tag.
func (e *engine) build(ctx context.Context, id string, binary []byte) (string, error) {
	tag := "rgate-demo:" + id
	result, err := e.ImageBuild(ctx, buildContext(binary), client.ImageBuildOptions{
		Tags: []string{tag}, Remove: true, ForceRemove: true, Labels: map[string]string{ownerLabel: id},
	})
	if err == nil {
		err = buildFailure(result.Body)
		_ = result.Body.Close()
	}
	if err != nil {
		return "", fmt.Errorf("cannot build the demo's image: %w", err)
	}
	return tag, nil
}

// run starts one backend. It finishes what it began when ctx ends meanwhile:
// a container whose creation was given up might appear after the sweep.
func (e *engine) run(ctx context.Context, id, image, app, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	created, err := e.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: containerName(id, name),
		Config: &container.Config{
			Image:  image,
			Cmd:    []string{"demo-backend", "--name", name, "--port", "3000"},
			Labels: map[string]string{ownerLabel: id, "app_name": app, "env": "production"},
		},
	})
	if err == nil {
		_, err = e.ContainerStart(ctx, created.ID, client.ContainerStartOptions{})
	}
	if err != nil {
		return fmt.Errorf("cannot start the demo's container %s: %w", name, err)
	}
	return nil
}

func containerName(id, name string) string { return "rgate-demo-" + id + "-" + name }

// sweep removes all containers and images of the demo with this id.
func (e *engine) sweep(ctx context.Context, id string) error {
	ours := make(client.Filters).Add("label", ownerLabel+"="+id)
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return fmt.Errorf("cannot list the demo's containers: %w", err)
	}
	failed := make([]error, len(containers.Items))
	var removing sync.WaitGroup
	for i, c := range containers.Items {
		removing.Go(func() {
			_, err := e.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			failed[i] = unlessGone(err)
		})
	}
	removing.Wait()
	images, err := e.ImageList(ctx, client.ImageListOptions{Filters: ours})
	failed = append(failed, err)
	for _, i := range images.Items {
		_, err := e.ImageRemove(ctx, i.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
		failed = append(failed, unlessGone(err))
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("cannot remove all that the demo made (look for the label %s=%s): %w", ownerLabel, id, err)
	}
	return nil
}

func unlessGone(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// demoID is an id that a demo may have.
var demoID = regexp.MustCompile(`^[0-9a-f]{6,16}$`)

// leftovers are the ids of demos that ended without removing what they made.
func (e *engine) leftovers(ctx context.Context) ([]string, error) {
	owned := make(client.Filters).Add("label", ownerLabel)
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: owned})
	if err != nil {
		return nil, fmt.Errorf("cannot look for leftovers: %w", err)
	}
	images, err := e.ImageList(ctx, client.ImageListOptions{Filters: owned})
	if err != nil {
		return nil, fmt.Errorf("cannot look for leftovers: %w", err)
	}
	owners := map[string]bool{}
	for _, c := range containers.Items {
		owners[c.Labels[ownerLabel]] = true
	}
	for _, i := range images.Items {
		owners[i.Labels[ownerLabel]] = true
	}
	var dead []string
	for id := range owners {
		if demoID.MatchString(id) && !lives(id) { // anybody may have used the label
			dead = append(dead, id)
		}
	}
	return dead, nil
}
