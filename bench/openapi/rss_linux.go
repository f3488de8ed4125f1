package main

// rssUnit is what getrusage counts memory in: kilobytes on Linux.
const rssUnit = 1024
