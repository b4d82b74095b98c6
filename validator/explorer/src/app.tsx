/** The explorer: head, page, foot. A page's code is loaded when it is first shown. */
import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { API, apiUrl } from "./data/api.ts";
import { PAGES, type PageProps } from "./pages.tsx";
import { useLocation } from "./routing/location.ts";
import { matchPath } from "./routing/match.ts";
import { ApiBar, ChooseApi } from "./ui/apiBar.tsx";
import { Header } from "./ui/header.tsx";
import { Page } from "./ui/page.tsx";
import { Empty, Loading } from "./ui/states.tsx";

const MAIN_ID = "main";

export function App() {
  const { path } = useLocation();
  const match = matchPath(path);
  const isUnchosen = API.isOpen && API.base === "";
  return (
    <>
      <a class="skip" href={`#${MAIN_ID}`}>
        Skip to the page
      </a>
      <Header />
      {API.isOpen || API.base !== "" ? <ApiBar /> : null}
      <main id={MAIN_ID} tabIndex={-1}>
        {isUnchosen ? (
          <ChooseApi />
        ) : match === null ? (
          <NoSuchPage />
        ) : (
          <Boundary path={path}>
            <LoadedPage load={PAGES[match.page]} params={match.params} />
          </Boundary>
        )}
      </main>
      <footer>
        <p>
          {isUnchosen ? null : (
            <>
              Every number here is the API's own: <a href={apiUrl("/docs")}>ask it yourself</a>.{" "}
            </>
          )}
          Land and borders: Natural Earth.
        </p>
      </footer>
    </>
  );
}

type LoadedPageProps = PageProps & { readonly load: () => Promise<ComponentType<PageProps>> };

function LoadedPage({ load, params }: LoadedPageProps) {
  const [state, setState] = useState<{ load: unknown; Loaded: ComponentType<PageProps> } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let isWanted = true;
    setFailed(false);
    load().then(
      (Loaded) => isWanted && setState({ load, Loaded }),
      (error: unknown) => {
        console.error(error);
        if (isWanted) setFailed(true);
      },
    );
    return () => {
      isWanted = false;
    };
  }, [load]);
  if (failed) return <PageFailure />;
  if (state === null || state.load !== load) return <Loading what="the page" />;
  return <state.Loaded params={params} />;
}

type BoundaryProps = { readonly path: string; readonly children: ComponentChildren };

/** A page that fails leaves the rest standing. */
class Boundary extends Component<BoundaryProps, { failed: boolean }> {
  override state = { failed: false };

  override componentDidUpdate(before: BoundaryProps): void {
    if (this.state.failed && before.path !== this.props.path) this.setState({ failed: false });
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ failed: true });
  }

  override render() {
    return this.state.failed ? <PageFailure /> : this.props.children;
  }
}

function PageFailure() {
  return (
    <div class="state failure" role="alert">
      <p>
        <strong>This page could not be shown.</strong> Perhaps the explorer has been replaced by a newer one
        since it was loaded.
      </p>
      <button type="button" onClick={() => window.location.reload()}>
        Load it again
      </button>
    </div>
  );
}

function NoSuchPage() {
  return (
    <Page title="No such page">
      <Empty>
        Nothing is here. <a href="/">The map</a> and the search above lead to everything.
      </Empty>
    </Page>
  );
}
