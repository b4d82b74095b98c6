/** The doctor's look at the way to the validators: whether a TCP connection opens to each address that is known. */
import { connect } from "node:net";
import { type Finding, finding } from "./finding.ts";

/** A hotspot keeps four links; twice as many addresses tell whether it is they or this network. */
const MAX_TRIED = 8;
const CONNECT_TIMEOUT_MS = 4_000;

/** Tries the addresses. @param multiaddrs of validators: `/dns4/HOST/tcp/PORT`, `/ip4/...`, `/ip6/...`. */
export async function checkValidators(multiaddrs: readonly string[]): Promise<Finding[]> {
  const known = [...new Set(multiaddrs)];
  if (known.length === 0) {
    const advice = "Give one with --validator, as run does, or use a genesis file that names some.";
    return [finding("validators", "fail", "No validator's address is known.", advice)];
  }
  const tried = await Promise.all(
    known.slice(0, MAX_TRIED).map(async (address) => ({ address, fault: await tryConnect(address) })),
  );
  const reached = tried.filter(({ fault }) => fault === null);
  // One that is away is the network's concern; all of them are this machine's.
  const result = reached.length > 0 ? "warn" : "fail";
  const findings = tried.map(({ address, fault }) =>
    fault === null
      ? finding("validators", "ok", `${address} accepts connections (TCP).`)
      : finding("validators", result, `${address}: ${fault.found} (TCP).`, fault.advice),
  );
  const unasked = "Validators have no UDP address; that UDP leaves this network shows at the clock.";
  return [...findings, finding("validators", "not_checked", unasked)];
}

type Fault = { readonly found: string; readonly advice: string };

async function tryConnect(multiaddr: string): Promise<Fault | null> {
  const parts = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/|$)/.exec(multiaddr);
  if (parts === null) {
    return { found: "is no address over TCP", advice: "Write it as /dns4/HOST/tcp/PORT." };
  }
  const socket = connect({ host: parts[1]!, port: Number(parts[2]), timeout: CONNECT_TIMEOUT_MS });
  const { promise, resolve } = Promise.withResolvers<Fault | null>();
  socket.once("connect", () => resolve(null));
  socket.once("timeout", () =>
    resolve({ found: "does not answer", advice: "A firewall may swallow it: outgoing TCP must be allowed." }),
  );
  socket.once("error", (error: NodeJS.ErrnoException) => resolve(describeFailure(error.code ?? "")));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function describeFailure(code: string): Fault {
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return { found: "its name is not found", advice: "Is this machine online, and does its DNS work?" };
    case "ECONNREFUSED":
      return { found: "refuses connections", advice: "That validator is down, or its port is another one." };
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return { found: "there is no way to it", advice: "This machine has no route: see to its network." };
    default:
      return { found: `cannot be reached, ${code || "for no stated reason"}`, advice: "See to the network." };
  }
}
