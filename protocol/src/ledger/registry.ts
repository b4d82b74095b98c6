/**
 * The hotspots that are registered, with dense indexes in the order of registration, and what each has asserted. An
 * assertion is kept for as long as a beacon may be judged by it.
 */
import { equalBytes } from "../bytes/bytes.ts";
import { REGION_PLANS, type RegionName, type RegionPlan } from "../radio/regions.ts";
import { byteKey } from "./byteKey.ts";
import type { HotspotView } from "./types.ts";

/** Where a hotspot says it stands, from the start of an epoch until the next assertion comes into force. */
export type Place = {
  /** The asserted H3 cell of resolution 12, in unsigned halves. */
  readonly cellHi: number;
  readonly cellLo: number;
  readonly latE7: number;
  readonly lngE7: number;
  readonly gainCentiDbi: number;
  readonly elevationM: number;
  readonly region: RegionName;
  readonly fromEpoch: number;
};

/**
 * The P-256 key of a hotspot's secure element, from the start of an epoch until the next binding comes into force; null
 * where the owner has taken it away.
 */
type Device = { readonly key: Uint8Array | null; readonly fromEpoch: number };

export type Hotspot = {
  /** Its key's for ever, also when it is gone: reports and links name hotspots by it. */
  readonly index: number;
  key: Uint8Array;
  /** Keys that it had before, oldest first, and the epoch in which it took the present one; null: its first. */
  readonly formerKeys: Uint8Array[];
  rotatedEpoch: number | null;
  /** Index of the owner's account. */
  owner: number;
  ownerKey: Uint8Array;
  registeredEpoch: number;
  bond: bigint;
  /** Index of the account that paid the bond and gets it back. */
  payer: number;
  /** The epoch in which its registration was ended, and the last one of its bond; null while it goes on. */
  leaving: { readonly sinceEpoch: number; readonly untilEpoch: number } | null;
  /** Whether it has left: it is not registered any more, and may be again. */
  isGone: boolean;
  /** In the order of coming into force; at most five, see `assertPlace`. */
  places: Place[];
  /** The epoch in which it last asserted another cell, antenna or region than before; null: never. */
  movedEpoch: number | null;
  /** In the order of coming into force; at most three, see `Registry.bindDevice`. */
  devices: Device[];
  /** The newest epoch in which a beacon or witness report of it was valid; null: none yet. */
  lastActiveEpoch: number | null;
  /** The epochs, both included, in which it is not challenged because a beacon of it was never revealed. */
  silence: { readonly fromEpoch: number; readonly untilEpoch: number } | null;
  /** Reports counted in the running epoch, and how many of its witness reports wait for a verdict. */
  reportsInEpoch: number;
  waiting: number;
};

/**
 * A beacon is included at most one epoch after its own, and its challenge asks for the place two epochs before its own:
 * three back. (It closes at most two epochs after its own, and its verdicts ask for places in its own: two back.)
 */
const PLACE_EPOCHS_BACK = 3;
/** A beacon is included at most one epoch after its own, which decides by whom it must be co-signed. */
const DEVICE_EPOCHS_BACK = 1;

/** What a registration says. */
export type Registration = Pick<Hotspot, "key" | "owner" | "ownerKey" | "registeredEpoch" | "bond" | "payer">;

export class Registry {
  readonly list: Hotspot[] = [];
  readonly #byKey = new Map<string, Hotspot>();
  readonly #retired = new Set<string>();
  /** Hotspots by the device that was bound to them last. */
  readonly #byDevice = new Map<string, Hotspot>();

  /** The registered hotspot of a key; null where it never was, or has left. */
  find(key: Uint8Array): Hotspot | null {
    const hotspot = this.#byKey.get(byteKey(key));
    return hotspot === undefined || hotspot.isGone ? null : hotspot;
  }

  /** Whether a key was a hotspot's that has another now. It is nobody's any more, and never again anybody's. */
  isRetired(key: Uint8Array): boolean {
    return this.#retired.has(byteKey(key));
  }

  /** Whether a key is a hotspot's, or ever was. */
  isTaken(key: Uint8Array): boolean {
    return this.#byKey.has(byteKey(key)) || this.isRetired(key);
  }

  /** Gives a hotspot another key, which is not taken; index, place, bond and history stay. */
  rotate(hotspot: Hotspot, newKey: Uint8Array, epoch: number): void {
    this.retire(hotspot, hotspot.key);
    this.#byKey.delete(byteKey(hotspot.key));
    Object.assign(hotspot, { key: newKey.slice(), rotatedEpoch: epoch });
    this.#byKey.set(byteKey(newKey), hotspot);
  }

  /** Notes a key that a hotspot had before, after those noted so far. */
  retire(hotspot: Hotspot, key: Uint8Array): void {
    hotspot.formerKeys.push(key);
    this.#retired.add(byteKey(key));
  }

  /** The hotspot to which a device was bound last; null where there is none, it has another now, or leaves. */
  findByDevice(deviceKey: Uint8Array): Hotspot | null {
    const hotspot = this.#byDevice.get(byteKey(deviceKey));
    if (hotspot === undefined || hotspot.leaving !== null) return null;
    const newestKey = newestDeviceKey(hotspot);
    return newestKey !== null && equalBytes(newestKey, deviceKey) ? hotspot : null;
  }

  /**
   * Binds a device, which no other hotspot has, or none any more. Those that nothing from `epoch` on can ask for are
   * forgotten, which leaves at most three: of the epoch before, of the running one and of the next.
   */
  bindDevice(hotspot: Hotspot, device: Device, epoch: number): void {
    this.restoreDevices(hotspot, addInForce(hotspot.devices, device, epoch - DEVICE_EPOCHS_BACK));
  }

  /** Gives a hotspot devices in the order of coming into force, in the place of those that it had. */
  restoreDevices(hotspot: Hotspot, devices: Device[]): void {
    const former = newestDeviceKey(hotspot);
    hotspot.devices = devices;
    const newest = newestDeviceKey(hotspot);
    // That of a hotspot that leaves may be another's by now.
    if (former !== null && this.#byDevice.get(byteKey(former)) === hotspot) {
      this.#byDevice.delete(byteKey(former));
    }
    if (newest !== null && hotspot.leaving === null) this.#byDevice.set(byteKey(newest), hotspot);
  }

  /**
   * Adds a hotspot, or takes one that had left back in under its index. Its silence goes on: leaving is no way around it.
   * @throws RangeError where its key is registered: the caller's bug, or a damaged snapshot.
   */
  register(entry: Registration): Hotspot {
    const mapKey = byteKey(entry.key);
    const known = this.#byKey.get(mapKey);
    if (known !== undefined) {
      if (!known.isGone) throw new RangeError("a key is registered twice");
      const { key: _, ...terms } = entry;
      return Object.assign(known, terms, { leaving: null, isGone: false });
    }
    const hotspot: Hotspot = {
      ...entry,
      key: entry.key.slice(),
      formerKeys: [],
      rotatedEpoch: null,
      index: this.list.length,
      leaving: null,
      isGone: false,
      places: [],
      movedEpoch: null,
      devices: [],
      lastActiveEpoch: null,
      silence: null,
      reportsInEpoch: 0,
      waiting: 0,
    };
    this.list.push(hotspot);
    this.#byKey.set(mapKey, hotspot);
    return hotspot;
  }
}

/**
 * The keys by which evidence of a hotspot may still be bound: its own, and the one before for what it sent under that.
 * `ROTATION_EPOCHS` sees to it that no older one is needed.
 */
export function evidenceKeysOf({ key, formerKeys }: Hotspot): readonly Uint8Array[] {
  const former = formerKeys.at(-1);
  return former === undefined ? [key] : [key, former];
}

/** The place in force at the start of an epoch, or null. Epochs further back than three are not kept. */
export function placeAt(hotspot: Hotspot, epoch: number): Place | null {
  return inForceAt(hotspot.places, epoch);
}

/** The device's key in force at the start of an epoch, or null. Epochs further back than the one before are not kept. */
export function deviceKeyAt(hotspot: Hotspot, epoch: number): Uint8Array | null {
  return inForceAt(hotspot.devices, epoch)?.key ?? null;
}

/** The device's key that is in force from the next epoch at the latest, or null. */
export function newestDeviceKey({ devices }: Hotspot): Uint8Array | null {
  return devices.at(-1)?.key ?? null;
}

function inForceAt<T extends { readonly fromEpoch: number }>(list: readonly T[], epoch: number): T | null {
  return list.findLast(({ fromEpoch }) => fromEpoch <= epoch) ?? null;
}

/** The list with one more; of two from the same epoch the later replaces the earlier. What ended before `oldestEpoch` goes. */
function addInForce<T extends { readonly fromEpoch: number }>(
  list: readonly T[],
  entry: T,
  oldestEpoch: number,
): T[] {
  const kept = list.filter(({ fromEpoch }) => fromEpoch !== entry.fromEpoch);
  kept.push(entry);
  const oldest = kept.findLastIndex(({ fromEpoch }) => fromEpoch <= oldestEpoch);
  return oldest > 0 ? kept.slice(oldest) : kept;
}

/**
 * Adds an assertion; of two that come into force with the same epoch the later replaces the earlier. Those that nothing
 * from `epoch` on can ask for are forgotten, which leaves at most five: those in force from three epochs back, two, one,
 * the running one and the next.
 */
export function assertPlace(hotspot: Hotspot, place: Place, epoch: number): void {
  hotspot.places = addInForce(hotspot.places, place, epoch - PLACE_EPOCHS_BACK);
}

/** Whether an assertion is of another cell, antenna gain or region than the newest before it: what can be heard differs. */
export function isMove({ places }: Hotspot, { cellHi, cellLo, gainCentiDbi, region }: Place): boolean {
  const before = places.at(-1);
  if (before === undefined) return false;
  const isSame = before.cellHi === cellHi && before.cellLo === cellLo && before.region === region;
  return !isSame || before.gainCentiDbi !== gainCentiDbi;
}

/** Whether a hotspot's registration was ended before an epoch: in it the hotspot gives no new evidence. */
export function hasEnded({ leaving }: Hotspot, epoch: number): boolean {
  return leaving !== null && epoch > leaving.sinceEpoch;
}

/** Makes a hotspot gone: no place, no device, no activity, no bond. Its last evidence was settled epochs before. */
export function dismiss(hotspot: Hotspot): void {
  Object.assign(hotspot, { isGone: true, bond: 0n, places: [], devices: [], lastActiveEpoch: null });
}

/** Whether a hotspot is silenced in an epoch. */
export function isSilent({ silence }: Hotspot, epoch: number): boolean {
  return silence !== null && epoch >= silence.fromEpoch && epoch <= silence.untilEpoch;
}

/** The plan of a place's region. */
export function planOf(place: Place): RegionPlan {
  return REGION_PLANS[place.region];
}

/** What shells store and show of a hotspot. */
export function viewOfHotspot(hotspot: Hotspot): HotspotView {
  const newest = hotspot.places.at(-1);
  const device = hotspot.devices.at(-1);
  const deviceKey = newestDeviceKey(hotspot);
  return {
    key: hotspot.key,
    owner: hotspot.ownerKey,
    registeredEpoch: hotspot.registeredEpoch,
    bond: hotspot.bond,
    assertion:
      newest === undefined
        ? null
        : {
            cell: (BigInt(newest.cellHi) << 32n) | BigInt(newest.cellLo),
            latE7: newest.latE7,
            lngE7: newest.lngE7,
            gainCentiDbi: newest.gainCentiDbi,
            elevationM: newest.elevationM,
            region: newest.region,
            fromEpoch: newest.fromEpoch,
          },
    device: deviceKey && { key: deviceKey, fromEpoch: device!.fromEpoch },
    lastActiveEpoch: hotspot.lastActiveEpoch,
    silentUntilEpoch: hotspot.silence?.untilEpoch ?? null,
    leavingUntilEpoch: hotspot.leaving?.untilEpoch ?? null,
  };
}
