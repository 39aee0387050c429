// `khatru PORT DIRECTORY [memory] [auth]`: the example basic-badger of khatru, or with `memory` what `nak serve` is, the
// same framework above a slice in memory. Both speak NIP-77. MAX_LIMIT in the environment caps a page of 500;
// `auth` wants ONLY_FOR to read and to write. Ends on SIGTERM.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/fiatjaf/eventstore"
	"github.com/fiatjaf/eventstore/badger"
	"github.com/fiatjaf/eventstore/slicestore"
	"github.com/fiatjaf/khatru"
	"github.com/nbd-wtf/go-nostr"
)

type store interface {
	eventstore.Store
	eventstore.Counter
}

// The slice is not made for messages that are handled at the same moment, as khatru does: one at a time.
type lockedSlice struct {
	*slicestore.SliceStore
	mutex *sync.Mutex
}

func (slice lockedSlice) SaveEvent(ctx context.Context, event *nostr.Event) error {
	slice.mutex.Lock()
	defer slice.mutex.Unlock()
	return slice.SliceStore.SaveEvent(ctx, event)
}

func (slice lockedSlice) ReplaceEvent(ctx context.Context, event *nostr.Event) error {
	slice.mutex.Lock()
	defer slice.mutex.Unlock()
	return slice.SliceStore.ReplaceEvent(ctx, event)
}

func (slice lockedSlice) DeleteEvent(ctx context.Context, event *nostr.Event) error {
	slice.mutex.Lock()
	defer slice.mutex.Unlock()
	return slice.SliceStore.DeleteEvent(ctx, event)
}

func (slice lockedSlice) QueryEvents(ctx context.Context, filter nostr.Filter) (chan *nostr.Event, error) {
	slice.mutex.Lock()
	defer slice.mutex.Unlock()
	found, err := slice.SliceStore.QueryEvents(ctx, filter)
	if err != nil {
		return nil, err
	}
	var events []*nostr.Event
	for event := range found {
		events = append(events, event)
	}
	answer := make(chan *nostr.Event, len(events))
	for _, event := range events {
		answer <- event
	}
	close(answer)
	return answer, nil
}

func openStore(directory string, modes []string) store {
	maxLimit, _ := strconv.Atoi(os.Getenv("MAX_LIMIT"))
	if slices.Contains(modes, "memory") {
		return lockedSlice{&slicestore.SliceStore{MaxLimit: maxLimit}, &sync.Mutex{}}
	}
	// Whoever asks for more than MaxLimit gets a quarter of it.
	return &badger.BadgerBackend{Path: directory, MaxLimit: 4 * maxLimit}
}

func isStranger(ctx context.Context) (bool, string) {
	switch khatru.GetAuthed(ctx) {
	case os.Getenv("ONLY_FOR"):
		return false, ""
	case "":
		return true, "auth-required: all requests must be authenticated"
	}
	return true, "restricted: not for you"
}

func main() {
	db := openStore(os.Args[2], os.Args[3:])
	if err := db.Init(); err != nil {
		log.Fatal(err)
	}
	relay := khatru.NewRelay()
	relay.StoreEvent = append(relay.StoreEvent, db.SaveEvent)
	relay.QueryEvents = append(relay.QueryEvents, db.QueryEvents)
	relay.CountEvents = append(relay.CountEvents, db.CountEvents)
	relay.DeleteEvent = append(relay.DeleteEvent, db.DeleteEvent)
	relay.ReplaceEvent = append(relay.ReplaceEvent, db.ReplaceEvent)
	relay.Negentropy = true
	if slices.Contains(os.Args[3:], "auth") {
		relay.RejectEvent = append(relay.RejectEvent, func(ctx context.Context, _ *nostr.Event) (bool, string) { return isStranger(ctx) })
		relay.RejectFilter = append(relay.RejectFilter, func(ctx context.Context, _ nostr.Filter) (bool, string) { return isStranger(ctx) })
	}
	go func() { log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], relay)) }()
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	<-terminate
	db.Close()
}
