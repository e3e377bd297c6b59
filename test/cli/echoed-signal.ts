/** Loaded first into a command: what SIGINT is sent to it comes twice, as from a terminal and npm together. */
process.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
