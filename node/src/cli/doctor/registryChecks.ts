/** The doctor's look at what the network has registered of the hotspot, as a validator's API tells it: owner, place, device. */
import { encodeHex, encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { computeNetworkId } from "../../../../protocol/src/network/genesis.ts";
import { isCodedError } from "../../host/codedError.ts";
import { createValidatorApi, type HotspotAnswer, parseApiUrl } from "../account/validatorApi.ts";
import type { OpenDeviceKey } from "../deviceKey.ts";
import { type Finding, finding } from "./finding.ts";
import type { HomeView } from "./homeChecks.ts";

/** What is registered; `hotspot` is null where the network never knew it. Else why it is not known here. */
export type Registered =
  | { readonly isKnown: true; readonly hotspot: HotspotAnswer | null }
  | { readonly isKnown: false; readonly finding: Finding };

/** How to open the device key that is set, null where none is; or what is wrong with the settings of it. */
export type DeviceSetting = {
  readonly open: OpenDeviceKey | null;
  readonly faults: readonly string[];
};

/** Asks for the hotspot's registration. @param api the setting; null where no validator's API is known. */
export async function readRegistered(
  { publicKey, genesis }: HomeView,
  api: string | null,
): Promise<Registered> {
  const unknown = (words: string, advice: string | null = null): Registered => {
    return { isKnown: false, finding: finding("registration", "not_checked", words, advice) };
  };
  if (publicKey === null || genesis === null) return unknown("Key and genesis are needed for it.");
  const url = api === null ? null : parseApiUrl(api);
  if (url === null) {
    const advice = "Set api to a validator's HTTP API, or give it with --api, to have it asked.";
    return unknown("No validator's API is set, so what the network has registered is not known.", advice);
  }
  const asked = createValidatorApi(url);
  try {
    const { networkId } = await asked.getStatus();
    if (networkId !== encodeHex0x(computeNetworkId(genesis))) {
      const found = `${url} is of another network than the genesis file.`;
      return {
        isKnown: false,
        finding: finding("registration", "fail", found, "Correct api, or genesis."),
      };
    }
    return { isKnown: true, hotspot: await asked.getHotspot(publicKey) };
  } catch (error) {
    if (!isCodedError(error)) throw error;
    const advice = "The hotspot does without it; another validator's API may be set.";
    return unknown(`${url} tells nothing: ${error.message}.`, advice);
  }
}

/** Whether the network knows the hotspot as its owner's, with a place. */
export function judgeRegistration({ config }: HomeView, registered: Registered): Finding {
  if (!registered.isKnown) return registered.finding;
  const { hotspot } = registered;
  const judge = (result: "warn" | "fail", found: string, advice: string) =>
    finding("registration", result, found, advice);
  if (hotspot === null || hotspot.status === "gone") {
    return judge(
      "fail",
      "The network does not know this hotspot.",
      "Have its owner register it: node register.",
    );
  }
  const { owner, status, assertion, leavingUntilEpoch } = hotspot;
  if (leavingUntilEpoch !== null) {
    const found = `It was deregistered; its bond returns after epoch ${leavingUntilEpoch}.`;
    return judge("fail", found, "Then it can be registered again: node register.");
  }
  if (config !== null && owner !== encodeDidKey(config.owner)) {
    const found = `It is registered to ${owner}, which is paid, and not to the owner that is set.`;
    return judge("fail", found, "Correct owner, or have the present one deregister it.");
  }
  if (assertion === null) {
    return judge("fail", "It is registered, but no place is asserted.", "Say node register once more.");
  }
  if (status === "silent") {
    const found = "It left a beacon unrevealed, and is asked for none for some epochs.";
    return judge("warn", found, "See that power and network last from a beacon to its reveal.");
  }
  return finding("registration", "ok", `It is registered to ${owner}, and ${status}.`);
}

/** Whether the device that the network asks for is the one that is set, and answers. */
export async function checkDevice({ open, faults }: DeviceSetting, registered: Registered): Promise<Finding> {
  const judge = (result: "warn" | "fail", found: string, advice: string) =>
    finding("device", result, found, advice);
  if (faults.length > 0) return judge("fail", `${faults.join("; ")}.`, "Set all of deviceKey, or none.");
  const opened = open === null ? null : await open().then(({ publicKey }) => encodeHex(publicKey), toWords);
  if (opened !== null && typeof opened !== "string") {
    const advice = "See that the element is there, and that this user may use it: node device-key tries it.";
    return judge("fail", `The device key cannot be opened: ${opened.words}.`, advice);
  }
  if (!registered.isKnown) {
    const found = opened === null ? "None is set" : `${opened} answers`;
    return finding("device", "not_checked", `${found}; which one the network asks for is not known here.`);
  }
  const bound = registered.hotspot?.device ?? null;
  if (bound === null) {
    if (opened === null) return finding("device", "ok", "None is bound, and none is set.");
    return judge("warn", `${opened} is set, but not bound to the hotspot.`, "Bind it: node bind.");
  }
  const since = `from epoch ${bound.fromEpoch} on the network takes its beacons with ${bound.key} only`;
  if (opened === bound.key)
    return finding("device", "ok", `${opened} answers, and is the one that is bound.`);
  const [found, advice] =
    opened === null
      ? ["None is set", "Set deviceKey to it; where it is lost, its owner says node unbind."]
      : [`${opened} is set`, "Set deviceKey to the bound one, or bind this one: node bind."];
  return judge("fail", `${found}, but ${since}.`, advice);
}

function toWords(error: unknown): { readonly words: string } {
  if (!isCodedError(error)) throw error;
  return { words: error.message };
}
