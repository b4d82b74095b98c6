/** `hexbeacon validator`: the commands of someone who runs a validator. */
import { Command } from "commander";
import { exit, type NodeIo, runAction, useIo } from "../../../node/src/cli/io.ts";
import { createAdminCommand } from "./adminCommand.ts";
import { type GenesisFlags, writeGenesis } from "./genesis.ts";
import { createHomeCommands } from "./homeCommands.ts";
import { type InitFlags, initHome } from "./init.ts";
import { type JoinFlags, joinNetwork } from "./join.ts";
import { type ExportFlags, exportEpoch, type ReplayFlags, replay } from "./replay.ts";
import { type RunCommandFlags, runValidator } from "./run.ts";

/** Creates the command with its parts. @param io where they write, and how they end. */
export function createValidatorCommand(io: NodeIo): Command {
  const validator = useIo(new Command("validator"), io).description("judge, agree, score, pay and serve");
  const parts = [
    createInitCommand(io),
    createGenesisCommand(io),
    createJoinCommand(io),
    createRunCommand(io),
    createReplayCommand(io),
    createExportCommand(io),
    createAdminCommand(io),
    ...createHomeCommands(io),
  ];
  for (const part of parts) validator.addCommand(useIo(part, io));
  return validator;
}

const GENESIS_OPTION = [
  "--genesis <file>",
  "the network's genesis file (default: the home's genesis.json)",
] as const;
/** For options that may be given again. */
const collect = (value: string, before: readonly string[] = []) => [...before, value];
const HOME_OPTION = ["--home <dir>", "the validator's folder"] as const;

function createInitCommand(io: NodeIo): Command {
  return new Command("init")
    .description("make a home with a new key")
    .option(...HOME_OPTION)
    .option("--genesis <file>", "the network's genesis file, copied into the home")
    .action((flags: InitFlags) => runAction(io, () => initHome(flags, io)));
}

function createGenesisCommand(io: NodeIo): Command {
  return new Command("genesis")
    .description("write the genesis file of a new network of this validator")
    .option(...HOME_OPTION)
    .option("--name <name>", "the network's name")
    .option("--preset <preset>", "the parameters: test, devnet or mainnet (default: devnet)")
    .option("--account <did=tokens>", "an account and its first balance; may be given again", collect)
    .option("--address <multiaddr>", "where peers reach the validator; may be given again", collect)
    .option("--hotspots <file>", "hotspots that it begins with, and whose trust walks (trustSeeds), as JSON")
    .action((flags: GenesisFlags) => runAction(io, () => writeGenesis(flags, io)));
}

function createJoinCommand(io: NodeIo): Command {
  return new Command("join")
    .description("begin with the state of a network that runs, instead of all its rounds")
    .option(...HOME_OPTION)
    .option(...GENESIS_OPTION)
    .option(
      "--checkpoint <epoch:stateroot>",
      "a closed epoch and its state root, as several validators say it",
    )
    .option("--from <multiaddr>", "a validator to fetch the state from; may be given again", collect)
    .action((flags: JoinFlags) => runAction(io, () => joinNetwork(flags, io)));
}

function createRunCommand(io: NodeIo): Command {
  return new Command("run")
    .description("run a validator until it is stopped")
    .option(...HOME_OPTION)
    .option(...GENESIS_OPTION)
    .option(
      "--listen <multiaddr>",
      "where peers reach it; may be given again (default: /ip4/0.0.0.0/tcp/4467)",
      collect,
    )
    .option("--http <host:port>", "where the API is served (default: 127.0.0.1:8080)")
    .option("--max-connections <n>", "peers at once (default: 800)")
    .option("--verifier-threads <n>", "threads for signatures (default: as many as the machine runs at once)")
    .option("--keep-epochs <n>", "closed epochs whose evidence is kept (default: 720)")
    .option("--snapshot-epochs <n>", "epochs from one snapshot to the next (default: 1)")
    .option("--requests-per-minute <n>", "API requests that one address may make (default: 600)")
    .option(
      "--cors-origin <origin>",
      "whose pages may read the API, such as a static explorer, or *; may be given again (default: none)",
      collect,
    )
    .option(
      "--trust-proxy <address>",
      "a proxy before the API, or a network of them, whose X-Forwarded-For says who asks; may be given again (default: none)",
      collect,
    )
    .option("--log-level <level>", "debug, info, warn, error or silent (default: info)")
    .option("--log-format <format>", "plain or json (default: plain)")
    .option(
      "--admin <where>",
      "where it listens to operators: socket, none, or a port on loopback (default: socket)",
    )
    .option("--operator <did>", "who else may administer it; may be given again", collect)
    .option("--ready-json", "print one line of JSON {http, multiaddrs, did} when it is ready")
    .option("--exit-with-parent", "end when the parent closes the IPC channel, or standard input")
    .action((flags: RunCommandFlags) =>
      runAction(io, async () => {
        await runValidator(flags, io);
        // Sockets of peers that never answer would hold the process for seconds more.
        exit(io, 0);
      }),
    );
}

function createReplayCommand(io: NodeIo): Command {
  return new Command("replay")
    .description("recompute closed epochs from the store and compare records and roots")
    .option(...HOME_OPTION)
    .option(...GENESIS_OPTION)
    .option("--epoch <n>", "the epoch to replay")
    .option("--all", "every epoch that the home can replay")
    .action((flags: ReplayFlags) => runAction(io, async () => exit(io, await replay(flags, io))));
}

function createExportCommand(io: NodeIo): Command {
  return new Command("export")
    .description("write an epoch's record and reward lines")
    .option(...HOME_OPTION)
    .option(...GENESIS_OPTION)
    .option("--epoch <n>", "the epoch to export")
    .option("--format <format>", "json or csv (default: json)")
    .action((flags: ExportFlags) => runAction(io, () => exportEpoch(flags, io)));
}
