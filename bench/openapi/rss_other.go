//go:build unix && !linux

package main

// rssUnit is what getrusage counts memory in: bytes on macOS.
const rssUnit = 1
