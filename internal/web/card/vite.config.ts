import { app } from '../kit/vite/app.ts';

export default app('card', { backend: 'http://127.0.0.1:8080', proxied: ['/api'], offline: {}, icons: true });
