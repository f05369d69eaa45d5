import type { Settings } from '../configuration/settings.js';
import type { Client } from './client.js';

export async function createClient(_settings: Settings): Promise<Client> {
  throw new Error('being written');
}
