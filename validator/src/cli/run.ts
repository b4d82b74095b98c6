/** `validator run`: a validator in the foreground, until a signal, its parent's end or a failure ends it. */
import { type NodeIo, printJson, printLine } from "../../../node/src/cli/io.ts";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { isCodedError } from "../../../node/src/host/codedError.ts";
import { createLifecycle, stopOnSignals } from "../../../node/src/host/lifecycle.ts";
import { createLog } from "../../../node/src/host/log.ts";
import { VERSION } from "../../../node/src/host/version.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { EXPLORER_FOLDER, hasExplorer } from "../api/explorer/folder.ts";
import { openValidator, type Validator } from "../validator.ts";
import { type RunFlags, readRunConfiguration } from "./configuration.ts";
import { onParentGone } from "./parentWatch.ts";

export type RunCommandFlags = RunFlags & { readonly readyJson?: boolean; readonly exitWithParent?: boolean };

/** Runs until stopped by a signal or its parent. @throws ConfigErrors, or the failure that ended it. */
export async function runValidator(flags: RunCommandFlags, io: NodeIo): Promise<void> {
  const { genesis, keyPair, logLevel, logFormat, http, keepEpochs, ...rest } =
    await readRunConfiguration(flags);
  const log = createLog({ level: logLevel, format: logFormat, write: (line) => void io.stderr.write(line) });
  const clock = createSystemClock();
  let validator: Validator | null = null;
  const lifecycle = createLifecycle(
    [
      {
        name: "validator",
        start: async () => {
          const options = {
            ...rest,
            genesis,
            secretSeed: keyPair.secretSeed,
            http: { ...http, version: VERSION },
            retention: { keepEpochs },
          };
          validator = await openValidator(options, { clock, log });
          void validator.failed.then(lifecycle.fail);
          void validator.drained.then((undone) =>
            undone === null ? lifecycle.stop() : lifecycle.fail(undone),
          );
        },
        stop: async () => validator?.close(),
      },
    ],
    { log },
  );
  const forgetSignals = stopOnSignals(lifecycle, { log });
  const forgetParent = flags.exitWithParent === true ? onParentGone(() => void lifecycle.stop()) : null;
  try {
    await lifecycle.start();
    announceReady(validator!, keyPair.publicKey, flags, io);
    const failure = await lifecycle.stopped;
    if (failure !== null) throw failure;
  } catch (error) {
    // Stopped while it was starting, as was asked for, is no failure.
    if (!isCodedError(error, "stopped")) throw error;
  } finally {
    forgetSignals();
    forgetParent?.();
  }
}

function announceReady(
  { addresses }: Validator,
  publicKey: Uint8Array,
  flags: RunCommandFlags,
  io: NodeIo,
): void {
  if (flags.readyJson === true) {
    printJson(io, addresses);
    return;
  }
  printLine(io, `Validator ${computeName(publicKey)} (${addresses.did})`);
  for (const multiaddr of addresses.multiaddrs) printLine(io, `  listens on ${multiaddr}`);
  printLine(io, `  serves ${addresses.http} (documentation at ${addresses.http}/docs)`);
  if (!hasExplorer(EXPLORER_FOLDER)) printLine(io, "  has no explorer: npm run build:explorer makes one");
  if (addresses.admin !== null) printLine(io, `  listens to its operators on ${addresses.admin}`);
}
