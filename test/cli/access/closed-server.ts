/** A server whose access is closed, with `root`, and a user `web` who may read `config/` and write `inbox/`, by tokens. */
import { startTestServer } from '../../support/test-server.ts';
import { Kelp } from '../kelp.ts';

export interface ClosedServer {
  readonly address: string;
  /** The command, logged in as root. */
  readonly root: Kelp;
  /** ... and as web. */
  readonly web: Kelp;
  readonly webToken: string;
}

export async function startClosedServer(): Promise<ClosedServer> {
  const { address } = await startTestServer();
  const anybody = new Kelp(address);
  await anybody.text('put', 'config/theme', 'dark');
  await anybody.text('put', 'other', '1');
  await anybody.text('role', 'create', 'reader');
  await anybody.text('role', 'grant', 'reader', 'read', '--prefix', 'config/');
  await anybody.text('role', 'grant', 'reader', 'write', '--prefix', 'inbox/');
  await anybody.text('role', 'create', 'operator');
  await anybody.text('role', 'grant', 'operator', 'admin');
  await anybody.text('user', 'add', 'web', '--role', 'reader', '--no-password');
  await anybody.text('user', 'add', 'maker', '--role', 'operator', '--no-password');
  const tokenOf = async (user: string): Promise<string> =>
    (await anybody.text('token', 'create', `of-${user}`, '--for', user)).trim();
  const [webToken, makerToken] = [await tokenOf('web'), await tokenOf('maker')];
  await anybody.run(['user', 'add', 'root', '--password-stdin'], { stdin: 'secret of root' });
  const maker = new Kelp(address, { KELP_TOKEN: makerToken });
  const rootToken = (await maker.text('token', 'create', 'of-root', '--for', 'root')).trim();
  return {
    address,
    root: new Kelp(address, { KELP_TOKEN: rootToken }),
    web: new Kelp(address, { KELP_TOKEN: webToken }),
    webToken,
  };
}
