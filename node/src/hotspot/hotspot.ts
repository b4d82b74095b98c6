/**
 * A hotspot: opens its home, spool and network, what works between them and the radio, and its pages, in this order. It
 * holds no state of its own; a process may run many, and each works with no validator in reach.
 */
import assert from "node:assert";
import type { LightAnchor } from "../../../protocol/src/agreement/lightClient.ts";
import { createSigningDomains, type SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import { reportTopics, roundsTopic } from "../../../protocol/src/wire/topics.ts";
import { makePrivateFolder, removeTemporaries } from "../host/durableFile.ts";
import { lockHome } from "../host/homeLock.ts";
import { createLifecycle, type Part } from "../host/lifecycle.ts";
import { createNetwork } from "../host/network.ts";
import { occasionally } from "../host/occasionally.ts";
import type { Network } from "../host/types.ts";
import { type Body, type BodyOptions, createBody, type HotspotModules } from "./body.ts";
import { EarningsReader } from "./earnings.ts";
import { createHotspotEmitter, type HotspotEmitter } from "./events.ts";
import { createHotspotMetrics, type HotspotMetrics } from "./metrics.ts";
import { createHotspotServer, type Examination } from "./server.ts";
import { openSpool, type Spool } from "./spool.ts";
import type { HotspotStatus } from "./status.ts";
import { MAX_VALIDATOR_LINKS } from "./validatorLinks.ts";

export type HotspotOptions = BodyOptions & {
  /** Where its pages are served; absent for none. Port 0 lets the system choose. */
  readonly http?: { readonly host: string; readonly port: number };
  /** Whose earnings its page shows, and the validator's API that tells them; absent for none. */
  readonly earnings?: { readonly api: string; readonly owner: Uint8Array };
  /** Asks the doctor, who takes seconds; absent where there is none. */
  readonly examine?: () => Promise<Examination>;
};

export type Hotspot = {
  /** Opens everything. @throws CodedError or RadioError where a file, a port or the radio cannot be opened. */
  readonly start: () => Promise<void>;
  /** Stops everything; what is spooled stays for the next start. */
  readonly stop: () => Promise<void>;
  /** Only between start and stop. */
  readonly status: () => HotspotStatus;
  /** The address of its pages, null where none are served. */
  readonly httpAddress: () => string | null;
  readonly events: HotspotEmitter;
  /** Settles when all has stopped: with null, or with the failure that was the reason. */
  readonly stopped: Promise<unknown>;
};

/** A fortnight of a lone hotspot's reports, or a day of a busy one's; small beside an SD card. */
const SPOOL_MAX_BYTES = 8 * 1_048_576;

/** A page that is left open must cost little: the doctor takes some seconds of a small machine, and others' servers. */
const EXAMINATION_REFRESH_MS = 600_000;

/** Creates a hotspot; nothing is opened before `start`. */
export function createHotspot(options: HotspotOptions, modules: HotspotModules): Hotspot {
  const networkId = computeNetworkId(options.genesis);
  const events = createHotspotEmitter();
  const context: Context = {
    options,
    modules,
    events,
    networkId,
    domains: createSigningDomains(networkId),
  };
  const opened: Opened = { body: null, httpAddress: null };
  const readStatus = (): HotspotStatus => {
    assert(opened.body !== null, "the status is read between start and stop");
    return opened.body.readStatus();
  };
  const metrics = createHotspotMetrics(readStatus);
  const lifecycle = createLifecycle(createParts(context, opened, metrics), { log: modules.log });
  return {
    start: lifecycle.start,
    stop: lifecycle.stop,
    status: readStatus,
    httpAddress: () => opened.httpAddress,
    events,
    stopped: lifecycle.stopped,
  };
}

/** What starting leaves for those who ask. */
type Opened = { body: Body | null; httpAddress: string | null };

/** The parts in the order in which they start. */
function createParts(context: Context, opened: Opened, metrics: HotspotMetrics): Part[] {
  const { home, radio } = context.options;
  let unlockHome = (): void => {};
  let spool: Spool | null = null;
  let network: Network | null = null;
  const parts: Part[] = [
    {
      name: "home",
      start: async () => {
        await makePrivateFolder(home);
        unlockHome = lockHome(home);
        const files = await removeTemporaries(home);
        if (files > 0) context.modules.log.info("Removed what interrupted writes had left", { files });
      },
      stop: async () => unlockHome(),
    },
    {
      name: "spool",
      start: async () => {
        spool = await openHotspotSpool(context, metrics);
      },
      stop: () => spool!.close(),
    },
    {
      name: "network",
      start: async () => {
        network = await openHotspotNetwork(context);
      },
      stop: () => network!.stop(),
    },
    {
      name: "body",
      start: async (signal) => {
        opened.body = await createBody({ ...context, spool: spool!, network: network!, metrics });
        opened.body.start(signal);
      },
      stop: () => opened.body!.stop(),
    },
    // What is heard is shown and spooled whatever else is in reach.
    { name: "radio", start: () => radio.start(), stop: () => radio.stop() },
    {
      name: "links",
      start: async (signal) => opened.body!.links.start(signal),
      stop: async () => opened.body!.links.stop(),
    },
  ];
  if (context.options.http !== undefined) parts.push(createHttpPart(context, opened, metrics));
  return parts;
}

function createHttpPart(context: Context, opened: Opened, metrics: HotspotMetrics): Part {
  const { options, modules } = context;
  let stop = async (): Promise<void> => undefined;
  return {
    name: "http",
    start: async () => {
      const { readStatus, packets, messages, rewardAnchor } = opened.body!;
      const server = createHotspotServer(options.http!, {
        readStatus,
        packets,
        messages,
        metrics,
        log: modules.log,
        ...createEarnings(context, rewardAnchor),
        ...createExamination(options, modules),
      });
      opened.httpAddress = await server.start();
      stop = server.stop;
    },
    stop: () => stop(),
  };
}

/** How earnings are read, where there is an API that tells them. */
function createEarnings({ options, modules }: Context, anchor: () => LightAnchor) {
  const { earnings, keyPair } = options;
  if (earnings === undefined) return {};
  const reader = new EarningsReader({ ...earnings, hotspot: keyPair.publicKey, anchor }, modules);
  return { readEarnings: () => reader.read() };
}

/** How the doctor is asked, where there is one. */
function createExamination({ examine }: HotspotOptions, { clock }: HotspotModules) {
  if (examine === undefined) return {};
  return { readExamination: occasionally(examine, EXAMINATION_REFRESH_MS, clock) };
}

/** What all parts of one hotspot share. */
type Context = {
  readonly options: HotspotOptions;
  readonly modules: HotspotModules;
  readonly events: HotspotEmitter;
  readonly networkId: Uint8Array;
  readonly domains: SigningDomains;
};

async function openHotspotSpool(context: Context, metrics: HotspotMetrics): Promise<Spool> {
  const { options, modules, domains } = context;
  return await openSpool(
    {
      home: options.home,
      domains,
      maxBytes: SPOOL_MAX_BYTES,
      onDrop: (_, reason) => metrics.countSpoolDrop(reason),
    },
    { clock: modules.clock },
  );
}

async function openHotspotNetwork({ options, modules, networkId }: Context): Promise<Network> {
  return await createNetwork(
    {
      secretSeed: options.keyPair.secretSeed,
      // Nothing depends on a hotspot being reachable from outside: it dials.
      listen: [],
      subscribe: [roundsTopic(networkId)],
      // Report topics are named to be heard of, since only named topics' subscribers are known.
      publishOnly: reportTopics(networkId),
      maxConnections: 2 * MAX_VALIDATOR_LINKS,
      role: "hotspot",
    },
    modules,
  );
}
