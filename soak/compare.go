//go:build linux

package main

func nginx(s *stage) contestant { s.Fatal("not yet"); return contestant{} }
func caddy(s *stage) contestant { s.Fatal("not yet"); return contestant{} }
