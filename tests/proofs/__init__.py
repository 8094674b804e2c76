"""Proofs of the safety promises: each has a short mode in `make test` and a long one in a make target of its own."""
