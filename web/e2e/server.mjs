// The server and the far end that a journey talks to.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const freeTcp = () =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** A free UDP port below the ephemeral range, so that nothing else is given it meanwhile. */
async function freeUdp() {
  for (let port = 29000 + (process.pid % 1500); ; port += 1) {
    const free = await new Promise((done) => {
      const socket = createSocket('udp4');
      socket.once('error', () => done(false));
      socket.bind(port, '127.0.0.1', () => socket.close(() => done(true)));
    });
    if (free) return port;
  }
}

/** A fresh server; `link` is what it printed. */
export async function startServer() {
  const dir = mkdtempSync(join(tmpdir(), 'switchbell-journey-'));
  const port = await freeTcp();
  const log = openSync(join(dir, 'server.log'), 'a');
  const child = spawn(process.env.SWITCHBELL_BINARY, ['serve'], {
    env: {
      ...process.env,
      SWITCHBELL_DATA: join(dir, 'data'),
      SWITCHBELL_LISTEN: `127.0.0.1:${port}`,
      // A journey holds on a computer whose disk is nearly full, too.
      SWITCHBELL_MIN_FREE_DISK: '0',
      SWITCHBELL_ALLOWED_HOSTS: 'localhost',
      SWITCHBELL_SIP_PORT: String(await freeUdp()),
    },
    stdio: ['ignore', 'pipe', log],
  });
  const link = await new Promise((done, fail) => {
    createInterface({ input: child.stdout }).once('line', done);
    child.once('exit', (code) => fail(new Error(`the server ended with ${code}`)));
  });
  const stop = () => {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  };
  return { dir, port, link, origin: `http://127.0.0.1:${port}`, stop };
}

/** SIPp as callee: the last digit of a number decides what it does. */
export async function startCallee(dir) {
  const port = await freeUdp();
  const scenario = new URL('../../xtask/src/e2e/callee.xml', import.meta.url).pathname;
  const child = spawn(
    'sipp',
    ['-sf', scenario, '-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1']
      .concat(['-mp', String(port + 1000), '-nostdin', '-nd', '-default_behaviors', 'bye'])
      .concat(['-rtp_echo', '-deadcall_wait', '0']),
    { cwd: dir, stdio: 'ignore' },
  );
  child.once('error', () => {
    throw new Error('sipp is missing: install sip-tester');
  });
  return { port, stop: () => child.kill('SIGKILL') };
}

/** Writes a file for an upload and gives its path. */
export function file(dir, name, bytes) {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

/** Two seconds of a 440 Hz tone as WAV. */
export function tone() {
  const samples = 16000;
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write('RIFF');
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(8000, 24);
  wav.writeUInt32LE(16000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let n = 0; n < samples; n += 1) {
    wav.writeInt16LE(Math.round(12000 * Math.sin((2 * Math.PI * 440 * n) / 8000)), 44 + n * 2);
  }
  return wav;
}
