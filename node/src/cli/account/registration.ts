/** Brings a hotspot onto the network: its registration where there is none, then its place where that is not asserted. */
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { cellFromBigint, cellToBigint, cellToHex } from "../../../../protocol/src/geo/cell.ts";
import { computeCentre } from "../../../../protocol/src/geo/centre.ts";
import { findRegionPlan, findRegionPlanById } from "../../../../protocol/src/radio/regions.ts";
import { CodedError } from "../../host/codedError.ts";
import { findCell, type NodeConfig } from "../config.ts";
import { ConfigErrors } from "../io.ts";
import { missingConsent } from "./change.ts";
import { expectRequestNetwork, readStanding, type Session, sendTransaction } from "./session.ts";
import { type Claim, type Consent, createAssert, createRegister, type Place } from "./signing.ts";
import type { HotspotAnswer } from "./validatorApi.ts";

/** The hotspot's consent for an epoch; null where it gave none. */
export type ConsentSource = (epoch: number) => Consent | null;

/** What is left to do, or why nothing can be done. */
export type Steps =
  | { readonly ok: true; readonly registers: boolean; readonly asserts: boolean }
  | { readonly ok: false; readonly fault: string };

/** The place that a hotspot's configuration asserts: the cell it lies in, and that cell's centre. */
export async function findPlace(config: NodeConfig): Promise<Place> {
  const cell = await findCell(config);
  const { gainCentiDbi, elevationM, region } = config;
  return {
    cell: cellToBigint(cell),
    ...computeCentre(cell),
    gainCentiDbi,
    elevationM,
    region: findRegionPlan(region)!.id,
  };
}

/** Compares what the network has with what is claimed. @param known null: never registered. */
export function computeSteps(claim: Claim, known: HotspotAnswer | null): Steps {
  if (known === null || known.status === "gone") return { ok: true, registers: true, asserts: true };
  if (known.owner !== encodeDidKey(claim.owner)) {
    return { ok: false, fault: "the hotspot is registered to another account" };
  }
  if (known.leavingUntilEpoch !== null) {
    const until = `its bond returns after epoch ${known.leavingUntilEpoch}, then it can be registered again`;
    return { ok: false, fault: `the hotspot was deregistered: ${until}` };
  }
  return { ok: true, registers: false, asserts: !isAsserted(claim.place, known.assertion) };
}

function isAsserted(place: Place, asserted: HotspotAnswer["assertion"]): boolean {
  return (
    asserted !== null &&
    asserted.cell === cellToHex(cellFromBigint(place.cell)!) &&
    asserted.gainCentiDbi === place.gainCentiDbi &&
    asserted.elevationM === place.elevationM &&
    asserted.region === findRegionPlanById(place.region)!.name
  );
}

/**
 * Registers and asserts as far as that is still to be done, and says each verdict.
 * @returns whether it has registered.
 * @throws ConfigErrors where the account is not the claim's owner or the network another; CodedError "balance_low" before
 *   anything is sent, "request_refused", "request_timeout".
 */
export async function registerHotspot(
  session: Session,
  claim: Claim,
  consents: ConsentSource,
): Promise<boolean> {
  const { api, account, domains, parameters, say } = session;
  expectRequestNetwork(session, claim);
  if (!equalBytes(claim.owner, account.publicKey)) {
    const owner = encodeDidKey(claim.owner);
    throw new ConfigErrors([`the hotspot's owner is ${owner}, not this account`]);
  }
  const steps = computeSteps(claim, await api.getHotspot(claim.hotspot));
  if (!steps.ok) throw new CodedError("request_refused", steps.fault);
  const { hotspotBond, assertFee, txFee } = parameters;
  const assertCosts = { "fee of the assertion": txFee + assertFee };
  if (steps.registers) {
    // Both are looked at before the first is sent: a bond that no place follows earns nothing.
    const costs = { bond: hotspotBond, "fee of the registration": txFee, ...assertCosts };
    const { epoch, nonce } = await readStanding(session, costs);
    const consent = requireConsent(consents, epoch);
    const transaction = createRegister(domains, account.secretSeed, claim, consent, nonce);
    await sendTransaction(session, "registration", transaction);
  } else say("registration: there already");
  if (steps.asserts) {
    const { epoch, nonce } = await readStanding(session, assertCosts);
    await sendTransaction(session, "assertion", createAssert(claim, requireConsent(consents, epoch), nonce));
    say(
      "the place is in force from the next epoch on, and a first beacon is asked for in the third at the earliest",
    );
  } else say("assertion: there already");
  return steps.registers;
}

/** @throws ConfigErrors where the hotspot consents to nothing in that epoch. */
function requireConsent(consents: ConsentSource, epoch: number): Consent {
  const consent = consents(epoch);
  if (consent === null) throw new ConfigErrors([missingConsent(epoch)]);
  return consent;
}
