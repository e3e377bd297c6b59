/** The alert rules of deploy/alerts.yaml, read. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export const alertsFile = 'deploy/alerts.yaml';

export const alertRules: readonly AlertRule[] = (
  parse(readFileSync(alertsFile, 'utf8')) as { groups: readonly { rules: readonly AlertRule[] }[] }
).groups.flatMap(({ rules }) => rules);
