/**
 * A table over any number of rows: only those in sight are in the page, and the rest is read as it
 * comes near. One tab stop: arrows move between rows, Enter opens one, Space chooses it.
 */
import type { ComponentChildren, TargetedKeyboardEvent } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { rowAfter, rowsInSight } from '../../model/console/rows-in-sight.js';
import './table.css';

export interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
  /** Numbers stand at the end of their column. */
  end?: boolean;
  /** Shown where there is room: `m` from 640, `l` from 1024 pixels. */
  from?: 'm' | 'l';
  /** Takes what the others leave. */
  wide?: boolean;
}

interface Props<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
  onOpen?: ((row: T) => void) | undefined;
  chosen?: ReadonlySet<string> | undefined;
  onChoose?: ((row: T) => void) | undefined;
  onChooseAll?: (() => void) | undefined;
  canChoose?: (row: T) => boolean;
  /** Near the end of the rows. */
  onMore?: (() => void) | undefined;
  /** Other rows are on their way. */
  busy?: boolean;
  /** Below the rows: what is read, or that it is all. */
  foot?: ComponentChildren;
}

const ROW_PX = 32;

export function Table<T>(props: Props<T>) {
  const { columns, rows, keyOf, onOpen, onChoose, onMore, label, foot } = props;
  const box = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState({ top: 0, height: 800 });
  const [active, setActive] = useState(0);
  const { first, last } = rowsInSight(scroll, ROW_PX, rows.length);
  const shown = rows.slice(first, last);
  const isChoosing = onChoose !== undefined;
  const at = Math.min(active, Math.max(0, rows.length - 1));

  const focus = (index: number) => {
    setActive(index);
    const { current } = box;
    if (current === null) return;
    const top = index * ROW_PX;
    if (top < current.scrollTop) current.scrollTop = top;
    if (top + 2 * ROW_PX > current.scrollTop + current.clientHeight)
      current.scrollTop = top + 2 * ROW_PX - current.clientHeight;
    const row = () => current.querySelector<HTMLElement>(`[data-row="${index}"]`);
    // One that is not in the page yet comes with the next frame.
    if (row() === null) requestAnimationFrame(() => row()?.focus());
    else row()!.focus();
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLTableRowElement>, row: T) => {
    if (event.target !== event.currentTarget) return;
    const to = rowAfter(event.key, at, rows.length, Math.floor(scroll.height / ROW_PX) - 1);
    if (to !== null) focus(to);
    else if (event.key === 'Enter' && onOpen !== undefined) onOpen(row);
    else if (event.key === ' ' && isChoosing && mayChoose(props, row)) onChoose(row);
    else return;
    event.preventDefault();
  };

  return (
    <div
      class="table-box"
      aria-busy={props.busy === true}
      ref={box}
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        setScroll({ top: scrollTop, height: clientHeight });
        if (scrollHeight - scrollTop - clientHeight < 10 * ROW_PX) onMore?.();
      }}
    >
      <table class="table" role="grid" aria-label={label} aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {isChoosing ? <ChooseAll {...props} /> : null}
            {columns.map((column) => (
              <th key={column.title} scope="col" class={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap rows={first} />
          {shown.map((row, i) => {
            const index = first + i;
            const isChosen = props.chosen?.has(keyOf(row)) === true;
            return (
              <tr
                key={keyOf(row)}
                data-row={index}
                aria-rowindex={index + 2}
                {...(isChoosing && { 'aria-selected': isChosen })}
                tabIndex={index === at ? 0 : -1}
                class={onOpen === undefined ? '' : 'opens'}
                onFocus={() => setActive(index)}
                onKeyDown={(event) => onKeyDown(event, row)}
                onClick={() => onOpen?.(row)}
              >
                {isChoosing ? <Choose {...props} row={row} isChosen={isChosen} /> : null}
                {columns.map((column) => (
                  <td key={column.title} class={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          <Gap rows={rows.length - last} />
        </tbody>
      </table>
      {foot === undefined ? null : <p class="table-foot">{foot}</p>}
    </div>
  );
}

function Choose<T>(props: Props<T> & { row: T; isChosen: boolean }) {
  const { row, isChosen, onChoose } = props;
  return (
    <td class="choose" onClick={(event) => event.stopPropagation()}>
      {mayChoose(props, row) ? (
        <input
          type="checkbox"
          tabIndex={-1}
          checked={isChosen}
          aria-label="Choose"
          onChange={() => onChoose!(row)}
        />
      ) : null}
    </td>
  );
}

function ChooseAll<T>(props: Props<T>) {
  const { rows, chosen, keyOf, onChooseAll } = props;
  const able = rows.filter((row) => mayChoose(props, row));
  return (
    <th class="choose" scope="col">
      <input
        type="checkbox"
        aria-label="Choose all that are shown"
        disabled={able.length === 0}
        checked={able.length > 0 && able.every((row) => chosen?.has(keyOf(row)) === true)}
        onChange={() => onChooseAll?.()}
      />
    </th>
  );
}

const mayChoose = <T,>({ canChoose }: Props<T>, row: T): boolean => canChoose?.(row) ?? true;

/** Keeps the place of rows that are not in the page. */
function Gap({ rows }: { rows: number }) {
  if (rows <= 0) return null;
  return (
    <tr class="gap" aria-hidden="true">
      <td style={{ height: `${rows * ROW_PX}px` }} />
    </tr>
  );
}

const classOf = <T,>({ end, from, wide }: Column<T>): string =>
  [end === true ? 'end' : '', from === undefined ? '' : `from-${from}`, wide === true ? 'wide' : '']
    .join(' ')
    .trim();
