/** What the reader chose, kept in this browser: a text by its name. Storage can be forbidden; a choice then lasts as long as the document. */

export function readKept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** @param text null forgets. @returns whether the browser keeps it. */
export function keep(name: string, text: string | null): boolean {
  try {
    if (text === null) localStorage.removeItem(name);
    else localStorage.setItem(name, text);
    return true;
  } catch {
    return false;
  }
}
