import { Component, type ReactNode } from 'react';

interface LoadBoundaryProps {
  /** In the place of what could not be drawn; default: nothing. */
  fallback?: ReactNode;
  children: ReactNode;
}

/**
 * Keeps what cannot be drawn from taking the page with it: most often code that could not be loaded, since the network
 * was away or a newer version has replaced it.
 */
export class LoadBoundary extends Component<LoadBoundaryProps, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.fallback : this.props.children;
  }
}
