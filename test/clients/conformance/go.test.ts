/** The Go client passes the conformance script. */
import { afterAll, describe } from 'vitest';
import { GoWorkspace, isGoClientBuildable } from '../go/go-workspace.ts';
import { testConformance } from './conformance.ts';

describe.skipIf(!isGoClientBuildable)('the driver that Go builds', () => {
  let built: Promise<{ readonly workspace: GoWorkspace; readonly program: string }> | undefined;
  const build = async (): Promise<{ readonly workspace: GoWorkspace; readonly program: string }> => {
    const workspace = await GoWorkspace.make();
    return { workspace, program: await workspace.build('conformance') };
  };
  afterAll(async () => {
    await (await built)?.workspace.remove();
  });

  testConformance('Go', async () => {
    built ??= build();
    return [(await built).program];
  });
});
