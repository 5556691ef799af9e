// Tables for people: the measurements, and the aims with whether each was reached.
import Table from 'cli-table3';

export interface Measurements {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One aim of the project; the value is a ratio or bytes, `reached` undefined when nothing was measured. */
export interface Aim {
  readonly name: string;
  readonly aim: string;
  readonly measured: string;
  readonly reached: boolean | undefined;
}

const million = 1e6;

export function megabytes(bytes: number): string {
  return (bytes / million).toFixed(1);
}

export function ratio(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)}×` : '-';
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

export function renderAims(aims: readonly Aim[]): string {
  const answer = (reached: boolean | undefined): string => {
    if (reached === undefined) {
      return 'not measured';
    }
    return reached ? 'yes' : 'no';
  };
  const rows = aims.map((aim) => [aim.name, aim.aim, aim.measured, answer(aim.reached)]);
  return `Aims\n${render(['what', 'aim', 'measured', 'reached'], rows)}`;
}
