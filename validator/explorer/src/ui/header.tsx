/** The head of every page: the way around, the search, and the switch between dark and light. */
import { useEffect, useState } from "preact/hooks";
import { navigate, useLocation } from "../routing/location.ts";
import { toggleTheme, useTheme } from "./theme.ts";

const SECTIONS = [
  { href: "/", label: "Map", under: ["/", "/cells"] },
  { href: "/hotspots", label: "Hotspots", under: ["/hotspots"] },
  { href: "/epochs", label: "Epochs", under: ["/epochs"] },
  { href: "/network", label: "Network", under: ["/network", "/validators"] },
] as const;

const isUnder = (path: string, section: string): boolean =>
  path === section || (section !== "/" && path.startsWith(`${section}/`));

export function Header() {
  const { path } = useLocation();
  return (
    <header class="top">
      <a class="brand" href="/">
        Hexbeacon
      </a>
      <nav aria-label="Pages">
        {SECTIONS.map(({ href, label, under }) => (
          <a
            key={href}
            href={href}
            {...(under.some((each) => isUnder(path, each)) ? { "aria-current": "page" as const } : {})}
          >
            {label}
          </a>
        ))}
      </nav>
      <SearchBox />
      <ThemeSwitch />
    </header>
  );
}

function SearchBox() {
  const { path, query } = useLocation();
  const asked = path === "/search" ? (query.get("q") ?? "") : "";
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  return (
    <search>
      <form
        action="/search"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") navigate(`/search?q=${encodeURIComponent(text.trim())}`);
        }}
      >
        <input
          type="search"
          name="q"
          value={text}
          maxLength={100}
          placeholder="Name, did:key or cell"
          aria-label="Search hotspots, accounts, validators and cells"
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit">Search</button>
      </form>
    </search>
  );
}

function ThemeSwitch() {
  const theme = useTheme();
  const next = theme === "dark" ? "light" : "dark";
  return (
    <button class="theme" type="button" onClick={toggleTheme} aria-label={`Show in ${next} colours`}>
      {theme === "dark" ? "☀" : "☾"}
    </button>
  );
}
