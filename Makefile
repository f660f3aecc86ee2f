# Two commands: `make run` and `make test`. All logic is in xtask; this file only sees to it that
# what a fresh Debian 12 lacks is there before xtask can be built.

.DEFAULT_GOAL := help
.PHONY: help run test

help:
	@echo "make run    install what is missing, build, start, print the set-up link"
	@echo "make test   everything that must hold before a change lands"

run:
	@. tools/prepare.sh run && cargo xtask run

test:
	@. tools/prepare.sh test && cargo build --quiet --locked --workspace --bins \
		&& "$${CARGO_TARGET_DIR:-target}/debug/xtask" test
