// Package admin is how a running gateway is asked and told things: the
// statistics page of the public listener, and the Unix socket behind the
// commands. Whoever may open the socket may do everything, so its file
// permissions are its only authority.
package admin
