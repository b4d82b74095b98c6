/** What the build puts in: the address of maplibre's worker, and of files that are fetched when they are needed. */
declare const MAP_WORKER_URL: string;

declare module "world-atlas/*.json" {
  const address: string;

  // biome-ignore lint/style/noDefaultExport: what esbuild's file loader gives.
  export { address as default };
}

declare module "*.css";
