/** Dark or light: as the reader's system has it, until the reader chooses. The choice stays in the browser. */
import { useEffect, useState } from "preact/hooks";
import { keep, readKept } from "../data/kept.ts";

export type Theme = "dark" | "light";

const STORED = "hexbeacon-theme";
const watchers = new Set<(theme: Theme) => void>();
const system = window.matchMedia("(prefers-color-scheme: dark)");

function readChoice(): Theme | null {
  const kept = readKept(STORED);
  return kept === "dark" || kept === "light" ? kept : null;
}

let choice = readChoice();

export const currentTheme = (): Theme => choice ?? (system.matches ? "dark" : "light");

function apply(): void {
  if (choice !== null) document.documentElement.dataset.theme = choice;
  for (const watcher of watchers) watcher(currentTheme());
}

export function startTheme(): void {
  system.addEventListener("change", apply);
  apply();
}

export function toggleTheme(): void {
  choice = currentTheme() === "dark" ? "light" : "dark";
  keep(STORED, choice);
  apply();
}

export function useTheme(): Theme {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => {
    watchers.add(setTheme);
    return () => void watchers.delete(setTheme);
  }, []);
  return theme;
}
