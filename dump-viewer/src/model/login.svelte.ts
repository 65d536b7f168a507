// A token on its way to the collector, which gives it back as a cookie that no script can read.

import * as api from '../import/api';

export class Login {
  token = $state('');
  waiting = $state(false);
  error = $state<string | null>(null);

  /** True once the collector takes the token. */
  async submit(): Promise<boolean> {
    this.waiting = true;
    try {
      await api.login(this.token.trim());
      this.token = '';
      this.error = null;
      return true;
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
      return false;
    } finally {
      this.waiting = false;
    }
  }
}
