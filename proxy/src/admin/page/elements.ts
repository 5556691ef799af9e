// The few ways in which the page changes itself. Text is only ever set as text.

/** What a cell shows: text, or an element of its own. */
export type Cell = string | Element;

/** The element that index.html has with this id. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

export function setText(id: string, text: string): void {
  const element = byId(id);
  // What is set is announced by screen readers, even when it is the same.
  if (element.textContent !== text) element.textContent = text;
}

/** Fills a table's body; the first cell of each row is its head. Without rows it says so instead. */
export function fillTable(id: string, rows: readonly (readonly Cell[])[], none: string): void {
  const table = byId(id);
  const columns = table.querySelectorAll('thead th').length;
  const body = table.querySelector('tbody');
  body?.replaceChildren(...(rows.length === 0 ? [emptyRow(none, columns)] : rows.map(makeRow)));
}

function makeRow(cells: readonly Cell[]): HTMLElement {
  const row = document.createElement('tr');
  row.append(
    ...cells.map((content, at) => {
      const cell = document.createElement(at === 0 ? 'th' : 'td');
      if (at === 0) cell.setAttribute('scope', 'row');
      cell.append(content);
      return cell;
    }),
  );
  return row;
}

function emptyRow(text: string, columns: number): HTMLElement {
  const row = document.createElement('tr');
  const cell = document.createElement('td');
  cell.colSpan = Math.max(1, columns);
  cell.className = 'none';
  cell.textContent = text;
  row.append(cell);
  return row;
}

/** A bar with its figures beside it; a bar without end while the whole is not known. */
export function makeProgress(part: number, whole: number | undefined, text: string): Element {
  const bar = document.createElement('progress');
  bar.setAttribute('aria-label', text);
  if (whole !== undefined) {
    bar.max = Math.max(1, whole);
    bar.value = part;
  }
  const box = document.createElement('span');
  box.className = 'progress';
  box.append(bar, ` ${text}`);
  return box;
}
