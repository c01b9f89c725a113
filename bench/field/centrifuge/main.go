// A server of the library Centrifuge, set up as its example jwt_token and its reference show it: a
// token is verified when a client connects and its end is the end of the connection (ExpireAt), a
// logout is Client.Disconnect on the connections of the session, a removal is Node.Unsubscribe.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/golang-jwt/jwt"
)

type claims struct {
	Sid string `json:"sid"`
	jwt.StandardClaims
}

type application struct {
	mu       sync.Mutex
	rooms    map[string]map[string]bool
	sessions map[string]map[*centrifuge.Client]bool
	secret   []byte
	node     *centrifuge.Node
}

type call struct {
	User    string   `json:"user"`
	Users   []string `json:"users"`
	Room    string   `json:"room"`
	Token   string   `json:"token"`
	Seconds int64    `json:"seconds"`
}

func newID() string {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		panic(err)
	}
	return hex.EncodeToString(bytes)
}

func (a *application) read(token string) (*claims, error) {
	found := &claims{}
	_, err := jwt.ParseWithClaims(token, found, func(t *jwt.Token) (interface{}, error) {
		if t.Method != jwt.SigningMethodHS256 {
			return nil, errors.New("another algorithm")
		}
		return a.secret, nil
	})
	return found, err
}

func (a *application) isMember(user, room string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rooms[room][user]
}

func (a *application) login(c call) (interface{}, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		Sid: newID(),
		StandardClaims: jwt.StandardClaims{
			Subject: c.User, ExpiresAt: time.Now().Unix() + c.Seconds,
		},
	})
	signed, err := token.SignedString(a.secret)
	return map[string]string{"token": signed}, err
}

func (a *application) addRoom(c call) (interface{}, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	room := newID()
	a.rooms[room] = map[string]bool{}
	for _, user := range c.Users {
		a.rooms[room][user] = true
	}
	return map[string]string{"room": room}, nil
}

func (a *application) logout(c call) (interface{}, error) {
	found, err := a.read(c.Token)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	var clients []*centrifuge.Client
	for client := range a.sessions[found.Sid] {
		clients = append(clients, client)
	}
	a.mu.Unlock()
	for _, client := range clients {
		client.Disconnect(centrifuge.DisconnectForceNoReconnect)
	}
	return struct{}{}, nil
}

func (a *application) remove(c call) (interface{}, error) {
	a.mu.Lock()
	delete(a.rooms[c.Room], c.User)
	a.mu.Unlock()
	return struct{}{}, a.node.Unsubscribe(c.User, c.Room)
}

func (a *application) serve(path string, run func(call) (interface{}, error)) {
	http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		var c call
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := run(c)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
}

func (a *application) connecting(
	ctx context.Context, e centrifuge.ConnectEvent,
) (centrifuge.ConnectReply, error) {
	found, err := a.read(e.Token)
	if err != nil {
		return centrifuge.ConnectReply{}, centrifuge.DisconnectInvalidToken
	}
	return centrifuge.ConnectReply{
		Context: context.WithValue(ctx, claims{}, found.Sid),
		Credentials: &centrifuge.Credentials{
			UserID: found.Subject, ExpireAt: found.ExpiresAt,
		},
	}, nil
}

func (a *application) connected(client *centrifuge.Client) {
	sid, _ := client.Context().Value(claims{}).(string)
	a.mu.Lock()
	if a.sessions[sid] == nil {
		a.sessions[sid] = map[*centrifuge.Client]bool{}
	}
	a.sessions[sid][client] = true
	a.mu.Unlock()
	client.OnDisconnect(func(centrifuge.DisconnectEvent) {
		a.mu.Lock()
		delete(a.sessions[sid], client)
		a.mu.Unlock()
	})
	client.OnSubscribe(func(e centrifuge.SubscribeEvent, cb centrifuge.SubscribeCallback) {
		if a.isMember(client.UserID(), e.Channel) {
			cb(centrifuge.SubscribeReply{}, nil)
		} else {
			cb(centrifuge.SubscribeReply{}, centrifuge.ErrorPermissionDenied)
		}
	})
	client.OnPublish(func(e centrifuge.PublishEvent, cb centrifuge.PublishCallback) {
		if client.IsSubscribed(e.Channel) {
			cb(centrifuge.PublishReply{}, nil)
		} else {
			cb(centrifuge.PublishReply{}, centrifuge.ErrorPermissionDenied)
		}
	})
}

func main() {
	node, err := centrifuge.New(centrifuge.DefaultConfig)
	if err != nil {
		panic(err)
	}
	a := &application{
		rooms:    map[string]map[string]bool{},
		sessions: map[string]map[*centrifuge.Client]bool{},
		secret:   []byte(os.Getenv("FIELD_SECRET")),
		node:     node,
	}
	node.OnConnecting(a.connecting)
	node.OnConnect(a.connected)
	if err := node.Run(); err != nil {
		panic(err)
	}
	http.Handle("/connection/websocket",
		centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{}))
	a.serve("/login", a.login)
	a.serve("/rooms", a.addRoom)
	a.serve("/logout", a.logout)
	a.serve("/remove", a.remove)
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
