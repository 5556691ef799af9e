// Tables for people: the measurements, and the aims with whether each was reached.
import Table from 'cli-table3';

export interface Measurements {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One aim of the project: `value` is to be at least or at most `limit`; NaN when it was not measured. */
export interface Aim {
  readonly name: string;
  readonly bound: 'at least' | 'at most';
  readonly limit: number;
  readonly value: number;
  /** `%` is a share: 0.01 is 1 %. MB are bytes. */
  readonly unit: '×' | '%' | 'MB' | 'MB/s' | 'ms';
}

const million = 1e6;

export function megabytes(bytes: number): string {
  return (bytes / million).toFixed(1);
}

export function ratio(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)}×` : '-';
}

/** A share in percent, with four digits after the point. */
export function percent(value: number): string {
  return Number.isFinite(value) ? `${Number((value * 100).toFixed(4))} %` : '-';
}

/** Milliseconds, with three digits that count. */
export function milliseconds(ms: number): string {
  return Number.isFinite(ms) ? `${Number(ms.toPrecision(3))}` : '-';
}

export function seconds(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : '-';
}

function render(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) {
    table.push([...row]);
  }
  return table.toString();
}

export function renderMeasurements(measurements: Measurements): string {
  return `${measurements.title}\n${render(measurements.head, measurements.rows)}`;
}

export function isReached(aim: Aim): boolean | undefined {
  if (Number.isNaN(aim.value)) {
    return undefined;
  }
  return aim.bound === 'at least' ? aim.value >= aim.limit : aim.value <= aim.limit;
}

function amount(aim: Aim, value: number): string {
  if (Number.isNaN(value)) {
    return '-';
  }
  // Three digits, since a value just past its limit must not look like the limit.
  switch (aim.unit) {
    case '×':
      return `${Number(value.toFixed(3))}×`;
    case '%':
      return percent(value);
    case 'MB':
      return `${megabytes(value)} MB`;
    case 'MB/s':
      return `${megabytes(value)} MB/s`;
    case 'ms':
      return `${value.toFixed(1)} ms`;
  }
}

export function renderAims(aims: readonly Aim[]): string {
  const rows = aims.map((aim) => {
    const reached = isReached(aim);
    const answer =
      reached === undefined ? 'not measured' : { true: 'ok', false: 'short' }[`${reached}`];
    return [aim.name, `${aim.bound} ${amount(aim, aim.limit)}`, amount(aim, aim.value), answer];
  });
  return `Aims\n${render(['what', 'aim', 'measured', 'reached'], rows)}`;
}
