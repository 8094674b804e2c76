"""The same Link from afar: HTTP with JSON and a stream of NDJSON over the engine's Unix socket."""
