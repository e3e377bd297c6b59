import { testBase } from '../base/base-contract.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { openTestBase } from './open-test-base.ts';

const directoryByPlace = new Map<string, string>();

testBase('btree', async (place) => {
  const directory = directoryByPlace.get(place) ?? `${await temporaryDirectory()}/base`;
  directoryByPlace.set(place, directory);
  return openTestBase(directory);
});
