import { scaleBand, scaleLinear } from 'd3-scale';
import { useRef, useState } from 'react';
import { shortDay, shortTokens, sumUsd } from '../lib/format.js';
import { useWidth } from '../lib/use-width.js';
import type { Bar, Measure } from './figures.js';

interface UsageChartProps {
  bars: readonly Bar[];
  measure: Measure;
  /** Of the last day: held for answers that are being written. */
  reserved: number;
  /** What may be spent in a day; null: nothing limits it. */
  limit: number | null;
}

const top = 12;
const plotHeight = 254;
const axisHeight = 30;
const leastGutter = 34;
const gutterPadding = 8;
/** What a character of the axis takes at the most. */
const characterWidth = 7;
/** A limit that is further away than this says nothing about the days, and would make them flat. */
const farAway = 3;
const partGap = 1.5;
/** The sum of today stands over bars that are at least so wide. */
const leastLabelled = 16;

/** A bar for each day, its parts from the dearest model up. The same stands in a table below it. */
export function UsageChart({ bars, measure, reserved, limit }: UsageChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [pointed, setPointed] = useState<string | null>(null);
  const highest = Math.max(0, ...bars.map(({ total }) => total), (bars.at(-1)?.total ?? 0) + reserved);
  const shownLimit = limit !== null && limit <= highest * farAway ? limit : null;
  const y = scaleLinear()
    .domain([0, Math.max(highest, shownLimit ?? 0) || 1])
    .nice(5)
    .range([top + plotHeight, top]);
  const words = measure.name === 'Cost' ? tickUsd : shortTokens;
  const longest = Math.max(...y.ticks(5).map((tick) => words(tick).length));
  const gutterLeft = Math.max(leastGutter, longest * characterWidth + gutterPadding);
  const x = scaleBand()
    .domain(bars.map(({ day }) => day))
    .range([gutterLeft, Math.max(gutterLeft, width)])
    .paddingInner(0.377)
    .paddingOuter(0.19);
  const pointedBar = bars.find(({ day }) => day === pointed);
  const center = (day: string) => (x(day) ?? 0) + x.bandwidth() / 2;
  return (
    <div className="usage-chart" ref={frame}>
      {width > 0 && (
        <svg width={width} height={top + plotHeight + axisHeight} aria-hidden>
          {y.ticks(5).map((tick) => (
            <g key={tick} className="tick">
              <line
                x1={gutterLeft}
                x2={width}
                y1={y(tick)}
                y2={y(tick)}
                className={tick === 0 ? 'base' : 'grid'}
              />
              <text x={gutterLeft - gutterPadding} y={y(tick)} dy="0.35em" textAnchor="end">
                {words(tick)}
              </text>
            </g>
          ))}
          {bars.map((bar) => (
            <Column
              key={bar.day}
              bar={bar}
              left={x(bar.day) ?? 0}
              width={x.bandwidth()}
              y={(value) => y(value)}
            />
          ))}
          {reserved > 0 && bars.at(-1) && (
            <Reserved
              from={bars.at(-1)?.total ?? 0}
              reserved={reserved}
              left={x(bars.at(-1)?.day ?? '') ?? 0}
              width={x.bandwidth()}
              y={(value) => y(value)}
            />
          )}
          {shownLimit !== null && (
            <g className="limit">
              <line x1={gutterLeft} x2={width} y1={y(shownLimit)} y2={y(shownLimit)} />
              <text x={width} y={y(shownLimit) + 14} textAnchor="end">
                your limit for a day
              </text>
            </g>
          )}
          {dayTicks(bars, width).map(({ day, label }) => (
            <text
              key={day}
              className="day"
              x={Math.min(center(day), width - (label === 'today' ? 16 : 0))}
              y={top + plotHeight + 18}
              textAnchor="middle"
            >
              {label}
            </text>
          ))}
          {x.bandwidth() >= leastLabelled && (
            <Today
              bar={bars.at(-1)}
              measure={measure}
              reserved={reserved}
              center={center}
              y={(value) => y(value)}
            />
          )}
          {bars.map(({ day }) => (
            <rect
              key={day}
              className="reach"
              x={center(day) - x.step() / 2}
              y={top}
              width={x.step()}
              height={plotHeight}
              onPointerEnter={() => {
                setPointed(day);
              }}
              onPointerLeave={() => {
                setPointed(null);
              }}
            />
          ))}
        </svg>
      )}
      {pointedBar && (
        <DayCard
          bar={pointedBar}
          measure={measure}
          left={Math.min(Math.max(center(pointedBar.day), 100), width - 100)}
        />
      )}
    </div>
  );
}

interface ColumnProps {
  bar: Bar;
  left: number;
  width: number;
  y: (value: number) => number;
}

function Column({ bar, left, width, y }: ColumnProps) {
  let below = 0;
  return bar.parts.map(({ name, shade, value }) => {
    const from = below;
    below += value;
    const gap = from === 0 ? 0 : partGap;
    const height = y(from) - y(below) - gap;
    if (value === 0) return null;
    return (
      <rect
        key={name}
        className={`part shade-${shade}`}
        x={left}
        y={y(below)}
        width={width}
        height={Math.max(0.5, height)}
        rx={1.5}
      />
    );
  });
}

function Reserved({
  from,
  reserved,
  left,
  width,
  y,
}: Omit<ColumnProps, 'bar'> & { from: number; reserved: number }) {
  const height = y(from) - y(from + reserved) - partGap;
  return (
    <rect
      className="reserved"
      x={left + 1}
      y={y(from + reserved) + 1}
      width={Math.max(0, width - 2)}
      height={Math.max(1, height - 2)}
    />
  );
}

interface TodayProps {
  bar: Bar | undefined;
  measure: Measure;
  reserved: number;
  center: (day: string) => number;
  y: (value: number) => number;
}

function Today({ bar, measure, reserved, center, y }: TodayProps) {
  if (!bar || bar.total === 0) return null;
  return (
    <text className="today" x={center(bar.day)} y={y(bar.total + reserved) - 7} textAnchor="middle">
      {measure.name === 'Cost' ? sumUsd(bar.total) : shortTokens(bar.total)}
    </text>
  );
}

/** What a day is made of, in words, while it is pointed at. */
function DayCard({ bar, measure, left }: { bar: Bar; measure: Measure; left: number }) {
  const words = measure.name === 'Cost' ? sumUsd : shortTokens;
  return (
    <div className="day-card" style={{ left }} aria-hidden>
      <p>
        <b>{shortDay(bar.day)}</b> {words(bar.total)}
      </p>
      {bar.parts
        .filter(({ value }) => value > 0)
        .map(({ name, shade, value }) => (
          <p key={name}>
            <i className={`swatch shade-${shade}`} />
            {name}
            <span>{words(value)}</span>
          </p>
        ))}
    </div>
  );
}

/** Room for a day's label, in px. */
const labelWidth = 56;

/** The last day, and whole weeks or days back from it, as many as have room. */
function dayTicks(bars: readonly Bar[], width: number): { day: string; label: string }[] {
  const fits = Math.max(1, Math.floor(width / labelWidth));
  const step = [1, 7, 14, 28, 91].find((days) => bars.length / days <= fits) ?? 182;
  return bars
    .map(({ day }, index) => ({ day, back: bars.length - 1 - index }))
    .filter(({ back }) => back % step === 0)
    .map(({ day, back }) => ({ day, label: back === 0 ? 'today' : shortDay(day) }));
}

/** `$5`, `$0.002`. */
const tickUsd = (value: number): string => `$${Number(value.toFixed(6))}`;
