/**
 * Ends with the parent: a program that a devnet or a test has started must not outlive it, however the parent ends.
 * The kernel closes what the two share, which is their IPC channel or, without one, the pipe at standard input.
 */
/**
 * Calls back once when the parent is gone.
 * @returns what stops watching.
 */
export function onParentGone(callback: () => void): () => void {
  if (process.connected) {
    process.once("disconnect", callback);
    return () => void process.off("disconnect", callback);
  }
  const { stdin } = process;
  stdin.once("end", callback);
  stdin.once("close", callback);
  stdin.resume();
  return () => {
    stdin.off("end", callback);
    stdin.off("close", callback);
    stdin.pause();
  };
}
