/** Loaded first into a server: halts the process for ever once the server has left further signals to the system. */
const looking = setInterval(() => {
  if (process.listenerCount('SIGTERM') === 0) return;
  clearInterval(looking);
  const waiting = setInterval(() => {
    if (process.listenerCount('SIGTERM') > 0) return;
    clearInterval(waiting);
    process.stderr.write('stuck\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }, 1);
}, 1);
