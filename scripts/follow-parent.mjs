// Loaded by run.mjs into what it runs: when run.mjs is gone, even by `kill -9`, this process and
// what it has started are asked to stop as by a signal.
if (process.channel !== undefined && process.env.FOLLOW_PARENT_PID === String(process.ppid)) {
  process.once("disconnect", () => {
    // 0: the whole group, which run.mjs has made for this process.
    process.kill(0, "SIGTERM");
  });
  process.channel.unref();
}
delete process.env.FOLLOW_PARENT_PID;
