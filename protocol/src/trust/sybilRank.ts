/**
 * Graph trust: SybilRank (Cao, Sirivianos, Yang, Pregueiro, NSDI 2012). Trust starts at the seeds and walks along edges
 * for ceil(log2 n) steps: enough to spread over the honest part, which is well connected, and too few to flow through
 * the few edges that lead into a ring. What has arrived is divided by a hotspot's own edges, so that more of them earn
 * nothing by themselves.
 *
 * From five seeds of a region on no two of them decide, from three seeds on none does alone: the seeds are dealt into five
 * groups that walk apart, neighbours in the graph into one, and a hotspot gets the middle of the five. Of fewer seeds one
 * stands in two groups. Seeds that a ring has corrupted stand together in it: where they are three in ten they fill two
 * groups, and are outvoted. A hotspot that no three groups reach has no trust; docs/truth.md says how trust begins in a new
 * city. All in whole numbers; time and memory are linear in hotspots and edges for each step.
 */
import { PPM } from "../network/parameters.ts";
import { takeMedian } from "./fixed.ts";
import type { WitnessGraph } from "./witnessGraph.ts";

/** Five is the fewest of which two can be outvoted. */
const SEED_GROUPS = 5;
/** So many decide: the middle one is no more than the highest of them, and no less than the lowest. */
const MAJORITY = (SEED_GROUPS + 1) / 2;
/** With fewer seeds than this there is nobody to outvote one. */
const SEEDS_MIN = 3;
/** Trust that each group's seeds share at the start: 2^44 leaves 24 bits a hotspot among a million, and sums exact. */
const GROUP_MASS = 2 ** 44;
/** Rank up to a tenth of the reference is what rings with few edges get: trust rises from 0 there to 1 at the reference. */
export const RANK_FLOOR_PPM = 100_000;

/**
 * Trust of every hotspot in parts per million.
 * @param graph in breadth-first order, so that numbers near each other stand for hotspots near each other.
 * @param seeds trusted hotspots, distinct; with fewer than three, each group has them all.
 * @param region for each hotspot a dense region number, from its asserted place; all in one region if left out. The rank
 *   that counts as full trust is a region's own where most groups have seeds in it, else the whole network's: a city with
 *   many seeds does not outrank one with few, and a ring cannot make a region of its own to be measured by.
 */
export function computeGraphTrustPpm(
  graph: WitnessGraph,
  seeds: Uint32Array,
  region: Uint32Array = new Uint32Array(graph.count),
): Uint32Array {
  const trust = new Uint32Array(graph.count);
  if (seeds.length === 0) return trust;
  const groups = dealSeeds(seeds, region);
  const strength = computeStrengths(graph);
  const seededNumber = numberSeededRegions(groups, region);
  const shares = walk(graph, strength, groups).map((rank) => normalise(rank, strength, region, seededNumber));
  // Where trust mixes slowly few are near most groups' seeds, so the middle is measured by its own reference once more.
  const sharePpm = normalise(takeMiddle(shares), strength, region, seededNumber);
  for (let hotspot = 0; hotspot < graph.count; hotspot++) {
    trust[hotspot] = Math.floor(
      (Math.max(0, sharePpm[hotspot]! - RANK_FLOOR_PPM) * PPM) / (PPM - RANK_FLOOR_PPM),
    );
  }
  return trust;
}

/** For each hotspot the middle one of what the groups say. */
function takeMiddle(shares: readonly Uint32Array[]): Float64Array {
  const middle = new Float64Array(shares[0]!.length);
  const said = new Int32Array(SEED_GROUPS);
  for (let hotspot = 0; hotspot < middle.length; hotspot++) {
    for (let group = 0; group < SEED_GROUPS; group++) said[group] = shares[group]![hotspot]!;
    middle[hotspot] = takeMedian(said);
  }
  return middle;
}

/**
 * Deals seeds into groups, region by region, neighbours by number into one, so that every region with three seeds has
 * some in each group. Where there are fewer seeds than groups, one stands in several, but in no majority. The next region
 * begins with the group after the one before's last.
 */
function dealSeeds(seeds: Uint32Array, region: Uint32Array): Uint32Array[] {
  const sorted = Array.from(seeds).sort((a, b) => region[a]! - region[b]! || a - b);
  const groups: number[][] = Array.from({ length: SEED_GROUPS }, () => []);
  if (sorted.length < SEEDS_MIN) return groups.map(() => Uint32Array.from(sorted));
  let first = 0;
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    while (to < sorted.length && region[sorted[to]!] === region[sorted[from]!]) to++;
    const count = to - from;
    // As many turns as there are seeds or groups, whichever are more; one seed or two take the turns that they would have of three.
    const turns = Math.max(count, SEED_GROUPS);
    let group = first;
    for (let turn = 0; turn < turns; turn++) {
      const place = Math.floor((turn * Math.max(count, SEEDS_MIN)) / turns);
      if (place >= count) break;
      group = (first + Math.floor((turn * SEED_GROUPS) / turns)) % SEED_GROUPS;
      groups[group]!.push(sorted[from + place]!);
    }
    first = (group + 1) % SEED_GROUPS;
  }
  return groups.map((group) => Uint32Array.from(group));
}

/**
 * Walks ceil(log2 n) steps from each group's seeds, n being the hotspots that have edges.
 * @returns for each group the trust that arrived at each hotspot, divided by its edges' weight.
 */
function walk(
  { count, start, neighbour, weight }: WitnessGraph,
  strength: Uint32Array,
  groups: readonly Uint32Array[],
): Float64Array[] {
  // Side by side for all groups, as fetching a neighbour is what costs.
  let offered = new Float64Array(count * SEED_GROUPS);
  let next = new Float64Array(count * SEED_GROUPS);
  for (const [group, seeds] of groups.entries()) {
    const mass = Math.floor(GROUP_MASS / seeds.length);
    for (const seed of seeds) {
      if (strength[seed] !== 0) offered[seed * SEED_GROUPS + group] = Math.floor(mass / strength[seed]!);
    }
  }
  for (let steps = countSteps(strength); steps > 0; steps--) {
    for (let hotspot = 0; hotspot < count; hotspot++) {
      let first = 0;
      let second = 0;
      let third = 0;
      let fourth = 0;
      let fifth = 0;
      for (let i = start[hotspot]!, end = start[hotspot + 1]!; i < end; i++) {
        const from = neighbour[i]! * SEED_GROUPS;
        const edge = weight[i]!;
        first += offered[from]! * edge;
        second += offered[from + 1]! * edge;
        third += offered[from + 2]! * edge;
        fourth += offered[from + 3]! * edge;
        fifth += offered[from + 4]! * edge;
      }
      // What the rounding loses is less than a hotspot's strength: 2^-16 of what it holds on average among a million.
      const edges = Math.max(1, strength[hotspot]!);
      const at = hotspot * SEED_GROUPS;
      next[at] = Math.floor(first / edges);
      next[at + 1] = Math.floor(second / edges);
      next[at + 2] = Math.floor(third / edges);
      next[at + 3] = Math.floor(fourth / edges);
      next[at + 4] = Math.floor(fifth / edges);
    }
    [offered, next] = [next, offered];
  }
  return groups.map((_, group) => {
    const rank = new Float64Array(count);
    for (let hotspot = 0; hotspot < count; hotspot++) rank[hotspot] = offered[hotspot * SEED_GROUPS + group]!;
    return rank;
  });
}

function computeStrengths({ count, start, weight }: WitnessGraph): Uint32Array {
  const strength = new Uint32Array(count);
  for (let hotspot = 0; hotspot < count; hotspot++) {
    for (let i = start[hotspot]!; i < start[hotspot + 1]!; i++) strength[hotspot]! += weight[i]!;
  }
  return strength;
}

function countSteps(strength: Uint32Array): number {
  let connected = 0;
  for (const edges of strength) if (edges > 0) connected++;
  return connected < 2 ? 0 : 32 - Math.clz32(connected - 1);
}

/**
 * For each region its own number from 1 where most groups have seeds in it, else 0. Seeds are few, so what is
 * kept for each number is too, however many regions there are.
 */
function numberSeededRegions(groups: readonly Uint32Array[], region: Uint32Array): Uint32Array {
  const regions = region.reduce((most, number) => Math.max(most, number + 1), 0);
  const groupsIn = new Uint8Array(regions);
  for (const seeds of groups) {
    for (const number of new Set(Array.from(seeds, (seed) => region[seed]!))) groupsIn[number]!++;
  }
  let seeded = 0;
  return Uint32Array.from(groupsIn, (count) => (count >= MAJORITY ? ++seeded : 0));
}

/** Each hotspot's rank over its region's reference in parts per million, at most 1,000,000, rounded down. */
function normalise(
  rank: Float64Array,
  strength: Uint32Array,
  region: Uint32Array,
  seededNumber: Uint32Array,
): Uint32Array {
  const seededRegions = seededNumber.reduce((most, number) => Math.max(most, number), 0);
  const bin = region.map((number) => seededNumber[number]!);
  const reference = findReferences(rank, strength, bin, seededRegions + 1);
  // All others are measured by the whole network.
  reference[0] = findReferences(rank, strength, new Uint32Array(rank.length), 1)[0]!;
  const shares = new Uint32Array(rank.length);
  for (let hotspot = 0; hotspot < rank.length; hotspot++) {
    const full = reference[bin[hotspot]!]!;
    if (full > 0) shares[hotspot] = Math.min(PPM, Math.floor((rank[hotspot]! / full) * PPM));
  }
  return shares;
}

/** Ranks are told apart to a sixty-fourth of an octave (1 %) where a reference is looked for. */
const BUCKETS_PER_OCTAVE = 64;
const BUCKETS = 46 * BUCKETS_PER_OCTAVE;

/**
 * The rank in each bin of hotspots above and below which half of its trust lies: weighted by trust, as rings may be many but hold
 * little of it. Rounded down by at most 1 %.
 */
function findReferences(
  rank: Float64Array,
  strength: Uint32Array,
  bin: Uint32Array,
  bins: number,
): Float64Array {
  const massIn = new Float64Array(bins * BUCKETS);
  const total = new Float64Array(bins);
  for (let hotspot = 0; hotspot < rank.length; hotspot++) {
    const mass = rank[hotspot]! * strength[hotspot]!;
    massIn[bin[hotspot]! * BUCKETS + bucketOf(rank[hotspot]!)]! += mass;
    total[bin[hotspot]!]! += mass;
  }
  return total.map((mass, number) => {
    let below = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      below += massIn[number * BUCKETS + bucket]!;
      if (below * 2 >= mass) return mass === 0 ? 0 : floorOfBucket(bucket);
    }
    return 0;
  });
}

/** Whole numbers below 2^46: those under 128 have a bucket each, of larger ones the seven leading bits count. */
function bucketOf(rank: number): number {
  let shifts = 0;
  let leading = rank;
  if (leading >= 2 ** 31) {
    leading = Math.floor(leading / 2 ** 20);
    shifts = 20;
  }
  const excess = Math.max(0, 25 - Math.clz32(leading));
  return (shifts + excess) * BUCKETS_PER_OCTAVE + (leading >>> excess);
}

/** The least rank in a bucket. */
function floorOfBucket(bucket: number): number {
  const shifts = Math.max(0, Math.floor(bucket / BUCKETS_PER_OCTAVE) - 1);
  return (bucket - shifts * BUCKETS_PER_OCTAVE) * 2 ** shifts;
}
