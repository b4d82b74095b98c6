/**
 * Keeps a small program small. V8 lets the space for new objects grow to 32 MB under the burst of allocation that
 * loading modules is, and gives it back late; a hotspot never needs more than a few MB of it.
 */
import { setFlagsFromString } from "node:v8";

/**
 * Stops the space for new objects from growing from here on. To be called before as much is loaded as possible: measured
 * with a hotspot, 155 MB resident become 133 when it is the first thing that a process does.
 */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
