/** Says to screen readers what changed without moving the focus: the one live region of the document. */

const REGION_ID = "announcer";

/** Creates the region; it must stand in the document before anything is said in it. */
export function createAnnouncer(): void {
  const region = document.createElement("div");
  region.id = REGION_ID;
  region.className = "unseen";
  region.setAttribute("role", "status");
  region.setAttribute("aria-live", "polite");
  document.body.append(region);
}

export function announce(text: string): void {
  const region = document.getElementById(REGION_ID);
  if (region !== null) region.textContent = text;
}
