import type { UsageReport } from '../../../src/client/index.js';
import { number, shortDay, shortTokens, sumUsd } from '../lib/format.js';
import { documentPath, Link, roomPath } from '../router.js';
import { readTokens, shadesOf, type Bar, type Measure } from './figures.js';

export function ModelTable({ report }: { report: UsageReport }) {
  const shades = shadesOf(report);
  return (
    <section>
      <h2>By model</h2>
      <table className="usage-table model-table">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Answers</th>
            <th scope="col">In</th>
            <th scope="col">Out</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {report.models.map((one) => {
            const at = shades.indexOf(one.model);
            return (
              <tr key={one.model}>
                <th scope="row">
                  <i className={`swatch shade-${at < 0 ? shades.length - 1 : at}`} />
                  {one.model}
                </th>
                <td>{number(one.generations)}</td>
                <td>{shortTokens(readTokens(one))}</td>
                <td>{shortTokens(one.outputTokens)}</td>
                <td>{sumUsd(one.costUsd)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** So many are shown; the rest costs less than any of them. */
const shownConversations = 12;

export function ConversationTable({ report }: { report: UsageReport }) {
  const dearest = report.conversations[0]?.costUsd ?? 0;
  return (
    <section>
      <h2>By conversation</h2>
      <table className="usage-table">
        <thead>
          <tr>
            <th scope="col">Conversation</th>
            <th scope="col">Answers</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {report.conversations
            .slice(0, shownConversations)
            .map(({ conversationId, documentId, title, generations, costUsd }) => (
              <tr key={conversationId ?? documentId ?? 'deleted'}>
                <th scope="row">
                  {conversationId !== null ? (
                    <Link href={roomPath(conversationId)}>{title ?? 'Untitled'}</Link>
                  ) : documentId !== null ? (
                    <Link href={documentPath(documentId)}>{title ?? 'Untitled'}</Link>
                  ) : (
                    'Deleted conversations'
                  )}
                </th>
                <td>{number(generations)}</td>
                <td>
                  {dearest > 0 && <i className="cost-bar" style={{ width: (64 * costUsd) / dearest }} />}
                  {sumUsd(costUsd)}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}

interface DayTableProps {
  bars: readonly Bar[];
  shades: readonly string[];
  measure: Measure;
}

/** What the chart shows, for who would rather read it. */
export function DayTable({ bars, shades, measure }: DayTableProps) {
  const words = measure.name === 'Cost' ? sumUsd : shortTokens;
  return (
    <div className="day-table" role="region" aria-label={`${measure.name} per day`} tabIndex={0}>
      <table className="usage-table">
        <thead>
          <tr>
            <th scope="col">Day (UTC)</th>
            {shades.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            <th scope="col">All</th>
          </tr>
        </thead>
        <tbody>
          {bars.toReversed().map(({ day, parts, total }) => (
            <tr key={day}>
              <th scope="row">{shortDay(day)}</th>
              {parts.map(({ name, value }) => (
                <td key={name}>{words(value)}</td>
              ))}
              <td>{words(total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
