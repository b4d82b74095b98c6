/** Dark or light: as the reader's system has it, until the reader chooses. The choice stays in the browser. */
import { useEffect, useState } from "preact/hooks";

export type Theme = "dark" | "light";

const STORED = "hexbeacon-theme";
const watchers = new Set<(theme: Theme) => void>();
const system = window.matchMedia("(prefers-color-scheme: dark)");

function readChoice(): Theme | null {
  try {
    const stored = localStorage.getItem(STORED);
    return stored === "dark" || stored === "light" ? stored : null;
  } catch {
    // Storage can be forbidden; the choice then lasts as long as the document.
    return null;
  }
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
  try {
    localStorage.setItem(STORED, choice);
  } catch {}
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
