/** The API's thread, which dies when it is told of a round without events. */
import "../../../validator/src/api/thread/apiWorker.ts";
import { parentPort } from "node:worker_threads";
import type { ToApi } from "../../../validator/src/api/thread/messages.ts";

parentPort!.on("message", (message: ToApi) => {
  if (message.type === "round" && message.events.length === 0) throw new Error("died as it was told");
});
